# Fetches the report of a run to this machine. Scripts source this file after deployment.sh.
# shellcheck shell=bash
reports=reports # This folder has a .gitignore of its own.

# fetch_report: writes the report again, sets `table` to its text, and `file` to the path of its HTML page.
fetch_report() {
  local text html
  known_run report
  file=$reports/${RUN:-RUN}.html table=""
  if dry; then
    show "$(quote "${words[@]}")"
    if is_local; then file=$OUTPUT/runs/${RUN:-RUN}/report.html; else
      [ -n "${RUN:-}" ] || remark "then, with the id of the run that this prints in place of RUN:"
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

# open_file PATH: opens it in a browser, if there is a display.
open_file() {
  local opener=""
  if [ "$(uname -s)" = Darwin ]; then opener=open
  elif [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && has xdg-open; then opener=xdg-open; fi
  if dry || [ -z "$opener" ] || [ "${OPEN:-1}" = 0 ]; then return 0; fi
  "$opener" "$1" >/dev/null 2>&1 || true
}
