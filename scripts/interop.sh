#!/bin/sh
# Interop tests: installs the pinned readers and writers that widemerge must agree with, then runs the tests.
# pyarrow, pandas, Polars and DuckDB go into .venv/ (requirements-interop.txt), parquet-java into test/interop/java/target/.
# If Python or Maven is missing, the script says so and its tests are skipped by name. --setup-only stops before the tests.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"

setup_python() {
  if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "interop: Python 3.11 or newer with venv is missing, so pyarrow, pandas, Polars and DuckDB are skipped (Debian: apt-get install python3-venv)." >&2
    return 0
  fi
  cmp -s requirements-interop.txt .venv/installed.txt && return 0
  echo "interop: installing pyarrow, pandas, Polars and DuckDB into .venv/ ..."
  python3 -m venv --clear .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements-interop.txt
  cp requirements-interop.txt .venv/installed.txt
}

setup_java() {
  if ! command -v javac >/dev/null 2>&1 || ! command -v mvn >/dev/null 2>&1; then
    echo "interop: a JDK 17 or Maven is missing, so parquet-java is skipped (Debian: apt-get install openjdk-17-jdk-headless maven)." >&2
    return 0
  fi
  stamp=test/interop/java/target/built
  [ -e "$stamp" ] && [ -z "$(find test/interop/java/pom.xml test/interop/java/src -newer "$stamp")" ] && return 0
  echo "interop: building the parquet-java tool ..."
  mvn --quiet --batch-mode --file test/interop/java/pom.xml compile dependency:copy-dependencies -DincludeScope=runtime
  touch "$stamp"
}

setup_python
setup_java
[ "${1:-}" = --setup-only ] && exit 0

node=$(scripts/find-node.sh) || { echo "interop: Node 22.19 or newer is missing: make setup" >&2; exit 2; }
exec "$node" --no-warnings --test --test-timeout=900000 'test/interop/*.test.ts'
