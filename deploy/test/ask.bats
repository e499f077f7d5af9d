# Questions, flags and texts.

setup() {
  source "$BATS_TEST_DIRNAME/../lib/load.sh"
  set -Eeuo pipefail
  HAVE_TTY=0
  KOPECK_LANG=en
}

@test "what was given is not asked" {
  KOPECK_DOMAIN=pay.example
  ask DOMAIN ask_domain ''
  [ "$KOPECK_DOMAIN" = pay.example ]
}

@test "without a terminal the default is taken" {
  ask DB ask_db bundled
  [ "$KOPECK_DB" = bundled ]
}

@test "without a terminal and a default it is exit code 64, and the flag and the variable are named" {
  run ask DOMAIN ask_domain ''
  [ "$status" -eq 64 ]
  [[ $output == *--domain* && $output == *KOPECK_DOMAIN* ]]
}

@test "what may be left empty is left empty" {
  ask SMTP_URL ask_smtp_url - secret
  [ "$KOPECK_SMTP_URL" = '' ]
}

@test "there is no terminal without a terminal" {
  run setsid bash -c "source '$BATS_TEST_DIRNAME/../lib/load.sh'; open_tty; echo \$HAVE_TTY"
  [ "$output" = 0 ]
}

@test "a terminal is asked, in Russian, also when standard input is a pipe" {
  command -v script > /dev/null || skip 'no script(1)'
  cat > "$BATS_TEST_TMPDIR/ask" << SH
source '$BATS_TEST_DIRNAME/../lib/load.sh'
set -Eeuo pipefail
KOPECK_LANG=ru
open_tty
: | { ask DOMAIN ask_domain ''; printf 'got %s\n' "\$KOPECK_DOMAIN"; }
SH
  run script -qec "bash $BATS_TEST_TMPDIR/ask" /dev/null < <(printf 'pay.example\n')
  [[ $output == *Домен* && $output == *'got pay.example'* ]]
}

@test "a flag wins over the environment, in both its forms" {
  KOPECK_DOMAIN=env.example
  parse_flags --domain flag.example --tls=selfsigned --yes
  [ "$KOPECK_DOMAIN" = flag.example ]
  [ "$KOPECK_TLS" = selfsigned ]
  [ "$KOPECK_YES" = 1 ]
}

@test "an unknown flag, and one without its value, are exit code 64" {
  run parse_flags --domian pay.example
  [ "$status" -eq 64 ]
  [[ $output == *--domian* ]]
  run parse_flags --domain
  [ "$status" -eq 64 ]
}

@test "a value that cannot be right is exit code 64, and is not shown" {
  for pair in KOPECK_TLS=letsencrypt KOPECK_HTTPS_PORT=70000 KOPECK_DOMAIN='a b' KOPECK_SMTP_URL=hunter2 \
    KOPECK_DATABASE_URL=postgres://u:hunter2@h/ KOPECK_ALERT_EMAIL=me; do
    run env "$pair" bash -c "source '$BATS_TEST_DIRNAME/../lib/load.sh'; check_flags"
    [ "$status" -eq 64 ]
    [[ $output != *hunter2* ]]
  done
}

@test "yes is only a yes, or --yes" {
  run confirm uninstall_sure
  [ "$status" -eq 1 ]
  KOPECK_YES=1
  confirm uninstall_sure
}

# gaps TEXT: how many %s it has.
gaps() {
  local rest=${1//%s/}
  echo $(((${#1} - ${#rest}) / 2))
}

@test "every text is there in both languages, with the same gaps" {
  for key in "${!TEXTS_RU[@]}"; do
    ru=${TEXTS_RU[$key]} en=${TEXTS_EN[$key]}
    [ "$(gaps "$ru")" = "$(gaps "$en")" ] || { echo "$key"; false; }
    [ -n "$en" ] || { echo "$key"; false; }
  done
}

@test "every text that is asked for exists" {
  grep -rhoE '\b(say|complain|t|die [0-9]+|confirm) [a-z]+_[a-z_]+' "$BATS_TEST_DIRNAME"/../{install,kopeck,lib/*.sh} |
    sed -E 's/.* //' | sort -u > "$BATS_TEST_TMPDIR/keys"
  [ "$(wc -l < "$BATS_TEST_TMPDIR/keys")" -gt 60 ]
  while IFS= read -r key; do [[ $key == menu_ || -n ${TEXTS_EN[$key]:-} ]] || { echo "$key"; false; }; done < "$BATS_TEST_TMPDIR/keys"
}
