# shellcheck shell=bash
# What the commands of the host are called, take and do. A command that is used wrongly shows its own line.

declare -gA SYNTAX
HOST_COMMANDS=()

# command_text NAME ARGUMENTS RUSSIAN ENGLISH
command_text() {
  HOST_COMMANDS+=("$1")
  SYNTAX[$1]=$2
  text "help_$1" "$3" "$4"
}

command_text help '' 'этот список' 'this list'
command_text status '[--json]' 'контейнеры, и что говорит о себе книга' 'containers, and what the books say of themselves'
command_text urls '[--show-secrets]' 'адреса для кабинетов партнёров' "what goes into the partners' cabinets"
command_text doctor '[--json]' 'осматривает всё и говорит, что делать' 'looks at everything and says what to do'
command_text logs '[-f] [SERVICE]' 'что говорят службы' 'what the services say'
command_text up '[SERVICE ...]' 'запускает всё или названные службы' 'starts all of it, or the services that are named'
command_text restart '[SERVICE ...]' 'то же заново, с нынешним .env' 'starts it anew, with .env as it is now'
command_text stop '[SERVICE ...]' 'останавливает' 'stops it'
command_text env '[check | set KEY]' 'все настройки, секреты скрыты; check: запустились бы службы? set: значение с клавиатуры или со стандартного ввода' \
  'every setting, secrets hidden; check: would the services start? set: a value, typed or on standard input'
command_text backup '[--to FOLDER]' 'книга, журналы и .env в одном файле' 'books, journals and .env in one file'
command_text restore 'FILE [--yes]' 'обратно из такого файла' 'the way back from such a file'
command_text upgrade '[--from DIR] [--build] [--version V] [--check]' 'новый выпуск; --check: есть ли он (0 да, 3 нет)' \
  'the newest release; --check: is there one? (0 yes, 3 no)'
command_text rollback '' 'к прежнему выпуску' 'to the release before'
command_text rotate-token '[KEY] [--finish]' 'новый секрет рядом с нынешним (без имени: для EPN); --finish прекращает прежний' \
  "a new secret beside the current one (EPN's, if none is named); --finish ends the older"
command_text uninstall '[--yes] [--purge]' 'убирает программу; данные остаются, если не --purge' \
  'away with it; the data stays unless it is purged'
command_text compose '...' 'docker compose для этой установки' 'docker compose for this installation'

usage() {
  local name ours="${HOST_COMMANDS[*]}"
  t usage
  printf '\n\n'
  for name in "${HOST_COMMANDS[@]}"; do
    printf '  %-30s %s\n' "$name ${SYNTAX[$name]}" "$(t "help_$name")"
  done
  printf '\n'
  t usage_suite
  printf '\n'
  suite help < /dev/null | sed -n '3,$p' | grep -vE "^  (${ours// /|}) " || true
}

usage_of() {
  t usage_of "kopeck $1 ${SYNTAX[$1]}"
  printf '\n%s\n' "$(t "help_$1")"
}

# misused NAME: its arguments are not among those.
misused() {
  usage_of "$1" >&2
  exit 64
}
