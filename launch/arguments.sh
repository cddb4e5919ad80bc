# Arguments of the scripts beside this one, which source it: --NAME VALUE for each of
# `options`, --NAME for each of `switches`, then what follows -- in `rest`. Dashes in names
# are underscores in variables; `needed` must not be left empty.
# shellcheck shell=bash disable=SC2034,SC2154

refuse() {
  echo "$1; see $0 --help" >&2
  exit 2
}

help_if_asked() { # ARGUMENTS...: prints the head of the script
  case "${1:-}" in
    -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  esac
}

contains() { # WORD WORDS...
  local word=$1 other
  shift
  for other in "$@"; do [ "$word" != "$other" ] || return 0; done
  return 1
}

parse() {
  local variable
  help_if_asked "$@"
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    variable=${1#--}
    variable=${variable//-/_}
    if contains "$variable" "${switches[@]}"; then
      printf -v "$variable" 1
    elif ! contains "$variable" "${options[@]}"; then
      refuse "unknown argument $1"
    elif [ $# -eq 1 ]; then
      refuse "$1 needs a value"
    else
      printf -v "$variable" %s "$2"
      shift
    fi
    shift
  done
  [ $# -eq 0 ] || shift
  rest=("$@")
  for variable in "${needed[@]}"; do
    [ -n "${!variable}" ] || refuse "--$variable is needed"
  done
}

# Runs a command, or prints it where --dry-run was given.
run() {
  if [ -n "$dry_run" ]; then printf '%q ' "$@"; echo; else "$@"; fi
}
