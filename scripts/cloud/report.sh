#!/usr/bin/env bash
# make report: has the report of a run written, fetches it, opens it. RUN (none: the newest), OUTPUT, OPEN=0, DRY_RUN=1
set -euo pipefail
me=report
here=$(dirname -- "${BASH_SOURCE[0]}")
for part in lib tools deployment fetch look; do . "$here/$part.sh"; done
look
fetch_report || exit
[ -z "$table" ] || say "$table"
say "report: $file"
open_file "$file"
