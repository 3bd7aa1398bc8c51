# What the deployment scripts share. They run on bash 3.2 or newer, set `me`, then source this file, which changes to the
# checkout.
# shellcheck shell=bash
checkout=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$checkout" || exit

say() { echo "$*"; }
heading() { echo && echo "== $*"; }

# Problems are collected and reported together; see stop_on_problems.
problems=()
problem() { problems+=("$*"); }

# stop_on_problems CODE: exits if there are problems; 2: an input is wrong, 3: something is missing on this machine.
stop_on_problems() {
  [ ${#problems[@]} -gt 0 ] || return 0
  local text
  for text in "${problems[@]}"; do echo "$me: $text" >&2; done
  exit "$1"
}

stop() {
  problem "$2"
  stop_on_problems "$1"
}

dry() { [ "${DRY_RUN:-0}" = 1 ]; }

# quote WORDS...: prints the words quoted for a shell.
quote() {
  local word text="" mark="'\\''" LC_ALL=C
  for word in "$@"; do
    case $word in
      "" | *[!A-Za-z0-9_./:=@%+,-]*)
        word=${word//\'/$mark}
        word="'$word'"
        ;;
    esac
    text="$text $word"
  done
  printf '%s\n' "${text# }"
}

# show COMMAND: prints a command of a dry run. It can be pasted, without "$ ", into a shell in the checkout.
show() { printf '  $ %s\n' "$*"; }
remark() { printf '  # %s\n' "$*"; }

# cloud COMMAND...: shows a command that needs the cloud, then runs it. A dry run only shows it.
cloud() {
  if dry; then show "$(quote "$@")"; else
    echo "+ $(quote "$@")" >&2
    "$@"
  fi
}

# check NAME PATTERN ALLOWED: reports a problem unless the variable is empty or all of it matches the extended regular
# expression.
check() {
  local value=${!1:-} LC_ALL=C
  [ -z "$value" ] || [[ $value =~ ^($2)$ ]] || problem "$1 is $(quote "$value"), allowed is $3"
}

# check_inputs: checks every variable that these scripts accept. WIDEMERGE_PAIRS and the like count if the short names are not
# set.
check_inputs() {
  PAIRS=${PAIRS:-${WIDEMERGE_PAIRS:-}}
  RUN=${RUN:-${WIDEMERGE_RUN:-}}
  INPUT=${INPUT:-${WIDEMERGE_INPUT:-}}
  OUTPUT=${OUTPUT:-${WIDEMERGE_OUTPUT:-}}
  local name pair='[A-Za-z0-9][A-Za-z0-9_-]{0,62}' place='[^-[:cntrl:]][^[:cntrl:]]*'
  for name in DRY_RUN YES SPOT WATCH FOLLOW OPEN DELETE_DATA; do check "$name" '[01]' '0 or 1'; done
  check PROJECT '[a-z][a-z0-9-]{4,28}[a-z0-9]' "a Google Cloud project's id, such as fx-features"
  check REGION '[a-z]+(-[a-z]+)+[0-9]+' 'a Google Cloud region, such as us-central1'
  check BACKENDS '(kubernetes|cloudrun)(,(kubernetes|cloudrun))*' 'kubernetes, cloudrun, or both with a comma between them'
  check BACKEND 'kubernetes|cloudrun|local' 'kubernetes, cloudrun or local'
  check PAIRS "$pair(,$pair)*" 'names of pairs with commas between them, such as audusd,gbpusd'
  check RUN '[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?' 'lower-case letters, digits and -, at most 40, such as 2026-11-21-a'
  check CEILING '[0-9]+(\.[0-9]+)?[KMGT]i?B' 'a size such as 50GiB'
  check BUILDER 'cloud|docker|podman' 'cloud, docker or podman'
  check INPUT "$place" 'a folder or gs://bucket/prefix'
  check OUTPUT "$place" 'a folder or gs://bucket/prefix'
  stop_on_problems 2
}

# ask QUESTION: continues after a yes. Without a terminal, YES=1 is the only way to say yes.
ask() {
  local answer
  if dry; then remark "asks: $1 [y/N] (YES=1: does not ask)" && return 0; fi
  [ "${YES:-0}" != 1 ] || return 0
  [ -t 0 ] || stop 2 "there is no terminal to ask on: set YES=1 to agree to the above"
  read -r -p "$1 [y/N] " answer
  case $answer in [yY] | [yY][eE][sS]) ;; *) stop 2 "nothing was changed" ;; esac
}

# find_node: prints the path of the Node that the set-up found. Scripts use it to read JSON.
find_node() { scripts/find-node.sh || stop 3 "Node 22.19 or newer is missing: make setup"; }
