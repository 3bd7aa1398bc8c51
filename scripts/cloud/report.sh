#!/usr/bin/env bash
# make report: writes the report of a run, fetches it and opens it. RUN (default: the newest), OUTPUT, OPEN=0, DRY_RUN=1
set -euo pipefail
me=report
here=$(dirname -- "${BASH_SOURCE[0]}")
for part in lib tools deployment fetch look; do . "$here/$part.sh"; done
look
fetch_report || exit
[ -z "$table" ] || say "$table"
say "report: $file"
open_file "$file"
