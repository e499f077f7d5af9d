# shellcheck shell=bash
# .env, read and written as Compose reads it. No function prints a value but env_get.

# env_get FILE KEY: the value, without its single quotes; as with Compose, the last line wins. 1: no such.
env_get() {
  local lines=() i value
  [[ -r $1 ]] || return 1
  mapfile -t lines < "$1"
  for ((i = ${#lines[@]} - 1; i >= 0; i--)); do [[ ${lines[i]} != "$2="* ]] || break; done
  ((i >= 0)) || return 1
  value=${lines[i]#*=}
  if [[ $value == \'*\' ]]; then
    value=${value#\'}
    value=${value%\'}
    value=${value//\\\'/\'}
  elif [[ $value == \"*\" ]]; then
    value=${value#\"}
    value=${value%\"}
  fi
  printf '%s' "$value"
}

# env_has FILE KEY: there, and not empty.
env_has() {
  local value
  value=$(env_get "$1" "$2") && [[ -n $value ]]
}

# env_quote VALUE: plain where nothing in it means anything to anybody, else in single quotes.
env_quote() {
  if [[ $1 =~ ^[A-Za-z0-9_.:/@,%+-]*$ ]]; then printf '%s' "$1"; else printf "'%s'" "${1//\'/\\\'}"; fi
}

# env_set FILE KEY VALUE: replaced or appended, whole or not at all; comments, order and the rest stay.
# The same value again changes nothing, not even the time of the file. 65: a value of several lines.
env_set() {
  local file=$1 key=$2 unfinished
  [[ $3 != *$'\n'* ]] || return 65
  if [[ $(env_get "$file" "$key" || printf '\n') == "$3" ]]; then return 0; fi
  unfinished=$(mktemp "$file.XXXXXX")
  chmod 600 "$unfinished"
  KEY=$key LINE="$key=$(env_quote "$3")" awk '
    BEGIN { key = ENVIRON["KEY"] "="; line = ENVIRON["LINE"] }
    index($0, key) == 1 { if (!done) print line; done = 1; next }
    { print }
    END { if (!done) print line }' "$file" > "$unfinished"
  mv -f "$unfinished" "$file"
}

# env_unset FILE KEY
env_unset() {
  local unfinished
  unfinished=$(mktemp "$1.XXXXXX")
  chmod 600 "$unfinished"
  grep -vE "^$2=" "$1" > "$unfinished" || true
  mv -f "$unfinished" "$1"
}

# env_default FILE KEY VALUE: only where there is none yet.
env_default() {
  env_has "$1" "$2" || env_set "$1" "$2" "$3"
}

# env_merge FILE EXAMPLE: appends what the example has and FILE lacks; existing lines stay as they are.
# Prints the keys that are new.
env_merge() {
  local line key
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line =~ ^([A-Z][A-Z0-9_]*)= ]] || continue
    key=${BASH_REMATCH[1]}
    if grep -qE "^$key=" "$1"; then continue; fi
    printf '%s\n' "$line" >> "$1"
    printf '%s\n' "$key"
  done < "$2"
}

# env_missing FILE EXAMPLE: the keys that the example wants and FILE has not, one a line.
env_missing() {
  local key
  while IFS= read -r key; do
    env_has "$1" "$key" || printf '%s\n' "$key"
  done < <(sed -nE 's/^([A-Z][A-Z0-9_]*)=.*/\1/p' "$2")
}

# Not `tr < /dev/urandom | head`: with pipefail that ends the script.
gen_secret() {
  openssl rand -hex "${1:-32}"
}
