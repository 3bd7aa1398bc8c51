# The report of a run as a file of this machine; sourced after deployment.sh.
# shellcheck shell=bash
reports=reports # ignored by git, by a file of its own

# fetch_report: has the report written once more, tells it in `table`, and puts it where `file` says.
fetch_report() {
  local text html
  known_run report
  file=$reports/${RUN:-RUN}.html table=""
  if dry; then
    show "$(quote "${words[@]}")"
    if is_local; then file=$OUTPUT/runs/${RUN:-RUN}/report.html; else
      [ -n "${RUN:-}" ] || remark "and with the name of the run, which that prints, for RUN:"
      show "$(quote gcloud storage cp "${OUTPUT:-$deployed_output}/runs/${RUN:-RUN}/report.html" "$file")"
    fi
    return 0
  fi
  text=$("${words[@]}") || return
  html=$(sed -n 's/^  \(.*report\.html\)$/\1/p' <<<"$text" | tail -n 1)
  table=$(sed '/^  .*report\.\(html\|json\|csv\)$/d' <<<"$text")
  file=$html
  case $html in gs://*)
    mkdir -p "$reports" && echo '*' >"$reports/.gitignore"
    file=$reports/$(basename "$(dirname "$html")").html
    cloud gcloud storage cp "$html" "$file" >&2
    ;;
  esac
}

# open_file PATH: in a browser where there is a display.
open_file() {
  local opener=""
  if [ "$(uname -s)" = Darwin ]; then opener=open
  elif [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && has xdg-open; then opener=xdg-open; fi
  if dry || [ -z "$opener" ] || [ "${OPEN:-1}" = 0 ]; then return 0; fi
  "$opener" "$1" >/dev/null 2>&1 || true
}
