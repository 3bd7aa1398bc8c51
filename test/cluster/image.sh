#!/usr/bin/env bash
# image.sh TAG OUT.tar : makes an image of this checkout for the test cluster in a second or two, without an image registry
# or builder. It has three layers, so that a change of src/ makes only a small one anew: the base (a shell, prlimit, Node,
# and the libraries that they need), the production packages, and the project. The published image is the Dockerfile's;
# set IMAGE to test that one in the cluster.
set -euo pipefail
umask 022 # The image's own user must be able to read all files.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
[ $# = 2 ] || { say "usage: image.sh TAG OUT.tar"; exit 2; }
tag=$1 out=$2
home=opt/widemerge # The project's folder in the image.
layers=$cache/image
programs="sh cat date dirname env head id ls mkdir prlimit readlink rm setpriv sleep tail tini uname"
draft=$(mktemp -d)
trap 'rm -rf "$draft"' EXIT

# pack: makes the same bytes from the same content, so that the node does not unpack a layer twice.
pack() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner "$@"; }

# cached NAME KEY COMMAND... : makes the layer unless the cache has it under this key, and prints its path.
cached() {
  local path
  path=$layers/$1-$(sha256sum <<<"$2" | cut -c1-12).tar
  if [ ! -e "$path" ]; then
    rm -f "$layers/$1"-*
    shift 2
    "$@" "$path.$$"
    sha256sum <"$path.$$" | cut -c1-64 >"$path.sha256"
    mv "$path.$$" "$path"
  fi
  echo "$path"
}

# libraries FILE...: lists the machine's shared libraries that programs and add-ons need, including the loader. It leaves
# out libraries that an add-on's own package contains.
libraries() { ldd "$@" 2>/dev/null | grep -oE '/[^ :]+ \(0x' | sed 's/ (0x//' | grep -v "^$checkout/" | sort -u; }

make_base() {
  local root=$draft/base name file addons
  mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,etc/ssl/certs,proc,sys,dev,"$home"}
  for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
  mkdir -m 1777 "$root/tmp"
  for name in $programs; do cp -L "$(command -v "$name")" "$root/usr/bin/$name"; done
  cp -L "$node" "$root/usr/bin/node"
  mapfile -t addons < <(find "$checkout/node_modules" -name '*.node' -path '*linux*')
  for file in $(libraries "$root"/usr/bin/* "${addons[@]}"); do
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
  done
  printf 'root:x:0:0::/:/bin/sh\nwidemerge:x:65532:65532::/tmp:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nwidemerge:x:65532:\n' >"$root/etc/group"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || true # Node has its own list.
  pack -C "$root" -cf "$1" .
}

# list_packages: lists the installed packages that package-lock.json does not mark as development packages.
list_packages() {
  "$node" -e '
    const { existsSync, readFileSync } = require("node:fs");
    for (const [path, { dev }] of Object.entries(JSON.parse(readFileSync("package-lock.json", "utf8")).packages))
      if (path !== "" && !dev && path.lastIndexOf("node_modules/") === 0 && existsSync(path)) console.log(path);'
}

# Type declarations and source maps are a third of the bytes, and nothing reads them at run time.
make_packages() {
  list_packages >"$draft/packages"
  pack -C "$checkout" --exclude '*.map' --exclude '*.d.ts' --exclude '*.d.mts' --exclude '*.d.cts' --transform "s,^,$home/,S" --files-from "$draft/packages" -cf "$1"
}

make_project() {
  local paths=(bin package.json scripts/find-node.sh src) path
  for path in data prices profiles LICENSE; do [ -e "$path" ] && paths+=("$path"); done
  pack -C "$checkout" --transform "s,^,$home/,S" --mode 'a+rX,go-w' -cf "$1" "${paths[@]}"
}

cd "$checkout"
mkdir -p "$layers"
node=$(readlink -f "$(scripts/find-node.sh)") || { say "Node 22.19 or newer is missing: make setup"; exit 3; }
[ -e node_modules/.package-lock.json ] || { say "the packages are not installed: run 'make setup'"; exit 3; }
base=$(cached base "$("$node" --version) $programs $(stat -Lc '%s %Y' "$node" "$(command -v sh)") $(sha256sum <"$module/image.sh") $(cat node_modules/.package-lock.json)" make_base)
packages=$(cached packages "$(cat node_modules/.package-lock.json)" make_packages)
make_project "$draft/project.tar"
"$module/archive.sh" "$tag" "$(cat <<JSON
{"Entrypoint": ["/usr/bin/tini", "--", "/$home/bin/widemerge"], "User": "65532:65532", "WorkingDir": "/tmp",
 "Env": ["PATH=/usr/bin", "HOME=/tmp", "NODE_ENV=production", "NODE_COMPILE_CACHE=/tmp/compile-cache", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"]}
JSON
)" "$base" "$packages" "$draft/project.tar" >"$out"
