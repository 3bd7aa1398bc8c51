#!/bin/sh
# Prints the path of a Node >= 22.19, which the binaries of nodejs-polars and the cloud clients need, or fails.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)

# fits NODE: `--version` prints v22.19.0, and takes a tenth of the time of a script.
fits() {
  version=$("$1" --version 2>/dev/null) || return 1
  major=${version#v} major=${major%%.*}
  minor=${version#*.} minor=${minor%%.*}
  case $major$minor in "" | *[!0-9]*) return 1 ;; esac
  [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 19 ]; }
}

if [ -x "$here/.toolchain/bin/node" ] && fits "$here/.toolchain/bin/node"; then
  echo "$here/.toolchain/bin/node"
elif command -v node >/dev/null 2>&1 && fits node; then
  command -v node
else
  exit 1
fi
