# The fourteen steps, on a host of fakes: fake/docker and the others play what is not here.

load installed

setup_file() { install_once; }

setup() { prepare_host; }

value() { sed -nE "s/^$1=//p" "$KOPECK_DIR/.env"; }

@test "from nothing to a running suite, with every secret generated and none shown" {
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 0 ]
  [ "$(stat -c %a "$KOPECK_DIR/.env")" = 600 ]
  [ "$(readlink "$KOPECK_DIR/current")" = releases/1.0.0 ]
  [ "$(readlink "$KOPECK_BIN_DIR/kopeck")" = "$KOPECK_DIR/current/deploy/kopeck" ]
  [ "$(value WEBHOOK_DOMAIN)" = pay.example ]
  [ "$(value COMPOSE_PROFILES)" = bundled-db ]
  [ "$(value EPN_DEFAULT_CURRENCY)" = RUB ]
  secrets=$(sed -nE 's/^[A-Z_]+(TOKEN|PASSWORD|SECRET|KEY)=([0-9a-f]{64})$/\2/p' "$KOPECK_DIR/.env")
  [ "$(wc -l <<< "$secrets")" -ge 18 ]
  [ "$(sort -u <<< "$secrets" | wc -l)" = "$(wc -l <<< "$secrets")" ]
  echo "$output" > "$T/seen"
  cat "$FAKE/calls" "$KOPECK_DIR"/log/* >> "$T/seen"
  ! grep -qFf <(printf '%s\nhunter2hunter2\n' "$secrets") "$T/seen"
}

@test "it ends with the URLs of all partners, the token of EPN hidden where nobody looks" {
  install_release 1.0.0 "${ANSWERS[@]}"
  [[ $output == *'https://pay.example/webhook/********?click_id={click_id}'* ]]
  [[ $output == *https://pay.example/webhook/cryptobot* ]]
  [[ $output == *https://pay.example/webhook/telegram* ]]
  [[ $output == *"https://pay.example/api/payment (token: WEBHOOK_API_TOKEN in $KOPECK_DIR/.env)"* ]]
}

@test "a backup every night, and memory for Redis; both go with an uninstall" {
  install_release 1.0.0 "${ANSWERS[@]}"
  grep -q "^ExecStart=$KOPECK_DIR/current/deploy/kopeck backup" "$KOPECK_SYSTEMD_DIR/kopeck-backup.service"
  grep -q OnCalendar "$KOPECK_SYSTEMD_DIR/kopeck-backup.timer"
  grep -q 'vm.overcommit_memory = 1' "$KOPECK_SYSCTL_DIR/60-kopeck.conf"
  install_release 1.0.0 --uninstall --yes
  [ -z "$(ls "$KOPECK_SYSTEMD_DIR" "$KOPECK_SYSCTL_DIR" | grep kopeck)" ]
}

@test "in Russian, for whom it is Russian" {
  KOPECK_LANG=ru install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 0 ]
  [[ $output == *'Вставьте в кабинеты партнёров'* ]]
}

@test "at a terminal it asks, in the language that was picked, and shows the token there alone" {
  command -v script > /dev/null || skip 'no script(1)'
  unset KOPECK_LANG
  printf 'ru\nasked.example\n\nops@example.com\nsmtps://me:hunter2@mail.example:465\n' > "$T/typed"
  run script -qec "bash $T/1.0.0/install.sh" /dev/null < "$T/typed"
  echo "$output"
  [[ $output == *'Домен'* && $output == *'Вставьте в кабинеты'* ]]
  [[ $output == *"https://pay.example/webhook/$(value EPN_SECRET_TOKEN)?"* ]]
  [ "$(value WEBHOOK_DOMAIN)" = asked.example ]
  [ "$(value COMPOSE_PROFILES)" = bundled-db ]
  [ "$(value ALERT_EMAIL)" = ops@example.com ]
  [ "$(value ACME_EMAIL)" = ops@example.com ]
  [ "$(value SMTP_URL)" = smtps://me:hunter2@mail.example:465 ]
  [ "$(cat "$KOPECK_DIR/state/lang")" = ru ]
  ! grep -rq hunter2 "$KOPECK_DIR/log"
  ! grep -rqF "$(value EPN_SECRET_TOKEN)" "$KOPECK_DIR/log"
}

@test "a second run changes nothing: .env is the same to the byte, and no container is made anew" {
  installed_host
  cp -p "$KOPECK_DIR/.env" "$T/before"
  install_release 1.0.0 --non-interactive
  [ "$status" -eq 0 ]
  cmp "$T/before" "$KOPECK_DIR/.env"
  [ "$(stat -c %Y "$T/before")" = "$(stat -c %Y "$KOPECK_DIR/.env")" ]
  [ "$(ls -A "$KOPECK_DIR" | grep -c '^\.env')" = 1 ]
  [ "$(ls "$KOPECK_DIR/backups" | wc -l)" = 0 ]
}

@test "every flag has a variable of its own" {
  export KOPECK_DOMAIN=env.example KOPECK_TLS=selfsigned KOPECK_NON_INTERACTIVE=1 KOPECK_HTTPS_PORT=8443 \
    KOPECK_HTTP_PORT=8080 KOPECK_ALERT_EMAIL=ops@example.com
  install_release 1.0.0
  [ "$status" -eq 0 ]
  [ "$(value WEBHOOK_DOMAIN)" = env.example ]
  [ "$(value HTTPS_PORT)" = 8443 ]
  [ "$(value ALERT_EMAIL)" = ops@example.com ]
  openssl x509 -in "$KOPECK_DIR/certs/server.crt" -noout -ext subjectAltName | grep -q DNS:env.example
}

@test "without a terminal and a domain: exit code 64, and nothing is started" {
  install_release 1.0.0 --non-interactive
  [ "$status" -eq 64 ]
  [[ $output == *--domain* ]]
  [ ! -e "$FAKE/started" ]
  [ ! -e "$KOPECK_DIR/.env" ]
}

@test "the domain is the only answer that has to be given with a self-signed certificate" {
  install_release 1.0.0 --domain pay.example --tls selfsigned --non-interactive
  [ "$status" -eq 0 ]
}

@test "a port that nginx has: exit code 69, and who it is" {
  echo 443 > "$FAKE/busy"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 69 ]
  [[ $output == *443*nginx* && $output == *'--tls external'* ]]
  [ ! -e "$FAKE/started" ]
}

@test "our own Traefik may keep its ports" {
  installed_host
  echo 443 > "$FAKE/busy"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 0 ]
}

@test "DNS that leads elsewhere, or nowhere: exit code 69, with the address that it should be" {
  echo 198.51.100.7 > "$FAKE/dns"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 69 ]
  [[ $output == *198.51.100.7*203.0.113.5* ]]
  : > "$FAKE/dns"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 69 ]
  [[ $output == *203.0.113.5* ]]
  install_release 1.0.0 "${ANSWERS[@]}" --skip-dns-check
  [ "$status" -eq 0 ]
}

@test "Let's Encrypt on other ports than its own is refused before anything is done" {
  install_release 1.0.0 "${ANSWERS[@]}" --https-port 8443
  [ "$status" -eq 69 ]
}

@test "a Docker that is too old, or silent: exit code 78" {
  echo 20.10.24 > "$FAKE/engine"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 78 ]
  [[ $output == *20.10.24* ]]
  rm "$FAKE/engine"
  echo info > "$FAKE/fail"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 78 ]
}

@test "an image that cannot be had: exit code 74, before anything is stopped" {
  printf 'image inspect\ndocker pull\npull -q\n' > "$FAKE/fail"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 74 ]
  [[ $output == *--build* ]]
  [ ! -e "$FAKE/started" ]
}

@test "--build builds the image of that release here" {
  printf 'image inspect\n' > "$FAKE/fail"
  install_release 1.0.0 "${ANSWERS[@]}" --build
  grep -q '^build -t kopeck:1.0.0 ' "$FAKE/calls"
}

@test "settings that a service would refuse: exit code 65" {
  echo check-env > "$FAKE/fail"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 65 ]
  [ ! -e "$FAKE/started" ]
}

@test "a database without its passwords is not locked out: exit code 65" {
  touch "$FAKE/volume"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 65 ]
  [ ! -e "$KOPECK_DIR/.env" ]
}

@test "a server of your own: its address is taken apart, and no MariaDB runs here" {
  export KOPECK_DATABASE_URL=mysql://admin:p%40ss@db.example:3307/shop
  install_release 1.0.0 "${ANSWERS[@]}" --db external
  [ "$status" -eq 0 ]
  [ "$(value DB_HOST)" = db.example ]
  [ "$(value DB_PORT)" = 3307 ]
  [ "$(value DB_NAME)" = shop ]
  [ "$(value COMPOSE_PROFILES)" = '' ]
  [ "$(value DATABASE_ADMIN_URL)" = mysql://admin:p%40ss@db.example:3307/ ]
}

@test "the images of the release stand in its Compose file" {
  install_release 1.0.0 "${ANSWERS[@]}"
  grep -q 'KOPECK_IMAGE:-registry.example/kopeck:1.0.0@sha256:' "$KOPECK_DIR/current/docker-compose.yml"
}

@test "an upgrade makes a backup first, keeps .env and adds what is new to it" {
  installed_host
  token=$(value EPN_SECRET_TOKEN)
  release 1.1.0
  printf 'NEW_THING_TOKEN=\n' >> "$T/1.1.0/.env.example"
  install_release 1.1.0 --non-interactive
  [ "$status" -eq 0 ]
  [ "$(readlink "$KOPECK_DIR/current")" = releases/1.1.0 ]
  [ "$(readlink "$KOPECK_DIR/previous")" = releases/1.0.0 ]
  [ "$(value EPN_SECRET_TOKEN)" = "$token" ]
  [[ $(value NEW_THING_TOKEN) =~ ^[0-9a-f]{64}$ ]]
  [ "$(ls "$KOPECK_DIR/backups" | wc -l)" = 1 ]
  [ "$(stat -c %a "$KOPECK_DIR"/.env.2*)" = 600 ]
}

@test "an upgrade that does not start goes back by itself: exit code 75, and the one before runs" {
  installed_host
  release 1.1.0
  echo 1.1.0 > "$FAKE/fail-port"
  install_release 1.1.0 --non-interactive
  [ "$status" -eq 75 ]
  [ "$(readlink "$KOPECK_DIR/current")" = releases/1.0.0 ]
  [[ $(tail -n 1 <(grep ' up ' "$FAKE/calls")) == *" up --detach"* ]]
}

@test "an upgrade whose way back does not start either: exit code 76, with what to do" {
  installed_host
  release 1.1.0
  printf '1.0.0\n1.1.0\n' > "$FAKE/fail-port"
  install_release 1.1.0 --non-interactive
  [ "$status" -eq 76 ]
  [[ $output == *kopeck-*.tar* ]]
}

@test "without a backup there is no upgrade: exit code 79" {
  installed_host
  release 1.1.0
  echo mariadb-dump > "$FAKE/fail"
  install_release 1.1.0 --non-interactive
  [ "$status" -eq 79 ]
  [ "$(readlink "$KOPECK_DIR/current")" = releases/1.0.0 ]
}

@test "two installations at once: the second is exit code 69" {
  mkdir -p "$KOPECK_DIR/state"
  exec 8> "$KOPECK_DIR/state/lock"
  flock 8
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 69 ]
}

@test "a dry run does nothing" {
  install_release 1.0.0 "${ANSWERS[@]}" --dry-run
  [ "$status" -eq 0 ]
  [ ! -e "$KOPECK_DIR" ]
}

@test "uninstall keeps data, backups and .env; a purge wants more than a yes" {
  installed_host
  install_release 1.0.0 --uninstall --yes --purge --non-interactive
  [ "$status" -eq 64 ]
  install_release 1.0.0 --uninstall --yes
  [ "$status" -eq 0 ]
  [ -f "$KOPECK_DIR/.env" ]
  [ ! -e "$KOPECK_BIN_DIR/kopeck" ]
  ! grep -q -- '--volumes' "$FAKE/calls"
  install_release 1.0.0 "${ANSWERS[@]}"
  [ "$status" -eq 0 ]
  install_release 1.0.0 --uninstall --yes --purge --yes-delete-my-data
  [ "$status" -eq 0 ]
  [ ! -e "$KOPECK_DIR" ]
  grep -q -- '--volumes' "$FAKE/calls"
}
