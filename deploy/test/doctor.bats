# kopeck doctor on the host: each fault is planted, seen, and its cure named.

load installed

setup_file() { install_once; }

setup() {
  installed_host
  printf 'HTTP/1.1 200 OK\r\nDate: %s\r\n' "$(LC_ALL=C date -u '+%a, %d %b %Y %T GMT')" > "$FAKE/headers"
  touch "$KOPECK_DIR/backups/kopeck-now.tar"
  echo 1 > "$OVERCOMMIT"
  certificate 60
}

# certificate DAYS [NAME]: what the published port shows.
certificate() {
  /usr/bin/openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "$1" -subj /CN=x \
    -addext "subjectAltName=DNS:${2:-pay.example}" -keyout /dev/null -out "$FAKE/served.crt" 2> /dev/null
}

set_key() { sed -i -E "s|^#?$1=.*|$1=$2|" "$KOPECK_DIR/.env"; }

# finds CHECK TEXT CURE: the doctor is worried, says so in these words, and what to do.
finds() {
  run "$K" doctor
  echo "$output"
  grep -qE "^(ERROR|WARN ) +$1 .*$2" <<< "$output"
  grep -A 1 -E "^(ERROR|WARN ) +$1 .*$2" <<< "$output" | grep -qE -- "-> .*$3"
}

@test "a host without a fault: nothing but ok, and exit code 0" {
  run "$K" doctor
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output != *ERROR* && $output != *WARN* ]]
  [[ $output == *'books'*'whole'* ]]
}

@test "an error is exit code 1" {
  chmod 644 "$KOPECK_DIR/.env"
  run "$K" doctor
  [ "$status" -eq 1 ]
}

@test ".env that others can read" {
  chmod 640 "$KOPECK_DIR/.env"
  finds env-file 640 'chmod 600'
}

@test "a key that is missing" {
  sed -i '/^LEDGER_API_TOKEN=/d' "$KOPECK_DIR/.env"
  finds env-keys LEDGER_API_TOKEN 'kopeck env set'
}

@test "a token that is short" {
  set_key ADMIN_API_KEY short
  finds tokens ADMIN_API_KEY 'rotate-token ADMIN_API_KEY'
}

@test "a token that is long and guessable, and is not shown" {
  set_key ADMIN_API_KEY aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  finds tokens ADMIN_API_KEY rotate-token
  [[ $output != *aaaaaaaa* ]]
}

@test "one token for two doors" {
  set_key ADMIN_API_KEY "$(sed -nE 's/^WEBHOOK_API_TOKEN=//p' "$KOPECK_DIR/.env")"
  finds tokens 'ADMIN_API_KEY = WEBHOOK_API_TOKEN' rotate-token
}

@test "a domain that differs from where payers are sent" {
  set_key SBP_PUBLIC_URL https://old.example
  finds domain old.example SBP_PUBLIC_URL
}

@test "DNS that leads elsewhere" {
  echo 198.51.100.7 > "$FAKE/dns"
  finds dns 198.51.100.7 203.0.113.5
}

@test "a name that is not in DNS" {
  : > "$FAKE/dns"
  finds dns pay.example 203.0.113.5
}

@test "a clock that is wrong" {
  printf 'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2015 00:00:00 GMT\r\n' > "$FAKE/headers"
  finds clock off set-ntp
}

@test "a clock that nobody sets" {
  : > "$FAKE/headers"
  echo no > "$FAKE/timedatectl"
  finds clock synchronised set-ntp
}

@test "a disk that is full" {
  printf 'Filesystem 1M Used Available Use%% On\n/dev/x 100 93 7 93%% /\n' > "$FAKE/df"
  finds disk '93 % full' 'docker system prune'
}

@test "a kernel that may refuse Redis to save itself" {
  echo 0 > "$OVERCOMMIT"
  finds overcommit 'is 0' sysctl
}

@test "a container that is unhealthy" {
  echo 'running false unhealthy 0 1 ' > "$FAKE/state-id-epn"
  finds containers 'epn: unhealthy' 'kopeck logs epn'
}

@test "a container that was killed for its memory" {
  echo 'exited true ' > "$FAKE/state-id-sbp"
  finds containers 'sbp: out of memory' 'kopeck restart sbp'
}

@test "a container that is not there" {
  : > "$FAKE/id-traefik"
  finds containers 'traefik: absent' 'kopeck logs traefik'
}

@test "what a backup's pause leaves behind is no fault" {
  echo 'running false unhealthy 0 0 ' > "$FAKE/state-id-epn"
  run "$K" doctor
  [ "$status" -eq 0 ]
}

@test "an image that is not the release's" {
  echo sha256:somethingelse > "$FAKE/image-id-epn"
  finds images 'epn .*1.0.0' 'kopeck up'
}

@test "a port that answers nobody" {
  echo 1.0.0 > "$FAKE/fail-port"
  finds port 'does not answer' firewall
}

@test "a certificate that is about to end" {
  certificate 4
  finds certificate '[34] days' 'port 80'
}

@test "a certificate for another name" {
  certificate 60 other.example
  finds certificate 'not for pay.example' CERTS_DIR
}

@test "no certificate at all" {
  rm "$FAKE/served.crt"
  finds certificate 'no certificate' 'logs traefik'
}

@test "a backup that is too old, and none at all" {
  touch -d '3 days ago' "$KOPECK_DIR/backups/kopeck-now.tar"
  finds backup '7[12] h old' 'kopeck backup'
  rm "$KOPECK_DIR/backups/kopeck-now.tar"
  finds backup 'no backup' 'kopeck backup'
}

@test "--json holds what the host and the suite have found, and nothing else" {
  set_key SBP_PUBLIC_URL https://old.example
  run "$K" doctor --json
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(read_json "$output" 'it.healthy')" = true ]
  [ "$(read_json "$output" 'it.host.find(({ check }) => check === "domain").severity')" = warn ]
  [ "$(read_json "$output" 'it.suite.healthy')" = true ]
  chmod 644 "$KOPECK_DIR/.env"
  printf '%s\n' 'so"me\thing false ' > "$FAKE/state-id-epn"
  run "$K" doctor --json
  [ "$status" -eq 1 ]
  [ "$(read_json "$output" 'it.healthy')" = false ]
  [[ $(read_json "$output" 'it.host.find(({ check }) => check === "containers").what') == *'so"me\thing' ]]
  [[ $(read_json "$output" 'it.host.find(({ check }) => check === "env-file").cure') == 'chmod 600'* ]]
}

@test "a suite that cannot be asked is null in JSON, and exit code 1" {
  echo ' cli doctor' > "$FAKE/fail"
  run bash -c "'$K' doctor --json 2> /dev/null"
  [ "$status" -eq 1 ]
  [ "$(read_json "$output" '`${it.healthy} ${it.suite}`')" = 'false null' ]
}
