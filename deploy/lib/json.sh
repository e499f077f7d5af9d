# shellcheck shell=bash
# The little JSON that the host writes itself.

# json_text TEXT
json_text() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\t'/\\t}
  printf '"%s"' "$(tr -d '\000-\037' <<< "$text")"
}

# ask_suite COMMAND: SUITE_JSON is what it says with --json, null where it cannot be asked; its exit code.
ask_suite() {
  local code=0
  SUITE_JSON=$(suite "$1" --json < /dev/null) || code=$?
  [[ $SUITE_JSON == \{* ]] || SUITE_JSON=null code=1
  return "$code"
}
