#!/usr/bin/env bash
# make status: prints the state of every pair of a run. RUN (default: the newest), WATCH=1, OUTPUT, DRY_RUN=1
set -euo pipefail
me=status
here=$(dirname -- "${BASH_SOURCE[0]}")
for part in lib tools deployment look; do . "$here/$part.sh"; done
look
known_run status
[ "${WATCH:-0}" != 1 ] || words+=(--watch)
if is_local; then exec "${words[@]}"; fi
cloud "${words[@]}"
