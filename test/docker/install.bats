# The installer on a real Docker: from nothing to a suite that books, a second run, a backup, the loss of
# every volume, the way back, an upgrade that fails, and out again. One file, in this order: about two
# minutes. `npm run test:install`; what it needs is Docker, root and the base images. The image is the one that
# `npm run test:docker` has built of the same files; the project and the ports are its own.

setup_file() {
  export BATS_NO_PARALLELIZE_WITHIN_FILE=true
  export T=${KOPECK_TEST_DIR:-$BATS_FILE_TMPDIR} ROOT=$BATS_TEST_DIRNAME/../.. KOPECK_LANG=en
  export DIR=$T/kopeck K=$T/bin/kopeck HTTPS=38443
  ANSWERS="--domain pay.example.test --tls selfsigned --build --non-interactive --dir $DIR --bin-dir $T/bin
    --project kopeck-install-test --bind 127.0.0.1 --http-port 38080 --https-port $HTTPS --skip-dns-check"
  export ANSWERS
  remove_all # of a run that was killed
}

teardown_file() { remove_all; }

# remove_all: whatever a test that failed has left, too.
remove_all() {
  local ours=label=com.docker.compose.project=kopeck-install-test
  docker ps -aq --filter "$ours" | xargs -r docker rm -f
  docker volume ls -q --filter "$ours" | xargs -r docker volume rm
  docker network ls -q --filter "$ours" | xargs -r docker network rm
}

value() { sed -nE "s/^$1=//p" "$DIR/.env"; }
volumes() { docker volume ls -q --filter name=kopeck-install-test_ | sort; }

# postback ORDER: what EPN would send, through the published port.
postback() {
  curl -sk -o /dev/null -w '%{http_code}' --connect-to "pay.example.test:$HTTPS:127.0.0.1:$HTTPS" \
    "https://pay.example.test:$HTTPS/webhook/$(value EPN_SECRET_TOKEN)?click_id=7&order_number=$1&uniq_id=EPN-$1&order_status=waiting&revenue=1500&commission_fee=100"
}

# head: of the books. Booking takes a moment: asked until SEQ events are there.
head_at() {
  for _ in $(seq 60); do
    head=$("$K" audit | sed -nE 's/^head //p')
    [[ $head != "$1":* ]] || break
  done
  [[ $head == "$1":* ]]
}

@test "it brings the suite up, without a terminal" {
  # shellcheck disable=SC2086 # words
  run bash "$ROOT/install.sh" $ANSWERS
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *'/webhook/********?click_id={click_id}'* ]]
  [ "$(stat -c %a "$DIR/.env")" = 600 ]
}

@test "no secret of .env is in what it said, nor in its log" {
  sed -nE 's/^[A-Z_]+=([0-9a-f]{64})$/\1/p' "$DIR/.env" > "$T/secrets"
  [ -s "$T/secrets" ]
  ! grep -rqFf "$T/secrets" "$DIR/log" "$DIR/state"
}

@test "what a partner sends through https is booked" {
  for order in 1 2 3; do [ "$(postback "$order")" = 200 ]; done
  head_at 3
}

@test "a second run leaves .env as it is, to the byte, and every container as it was" {
  before=$(sha256sum "$DIR/.env"; docker ps -q --no-trunc --filter name=kopeck-install-test | sort)
  # shellcheck disable=SC2086
  run bash "$ROOT/install.sh" $ANSWERS
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$before" = "$(sha256sum "$DIR/.env"; docker ps -q --no-trunc --filter name=kopeck-install-test | sort)" ]
}

@test "backup, the loss of every volume, restore: the books have the same head" {
  head_at 3
  before=$head
  run "$K" backup
  echo "$output"
  [ "$status" -eq 0 ]
  file=$(find "$DIR/backups" -name 'kopeck-*.tar' | sort | tail -n 1)
  "$K" compose down --volumes
  [ -z "$(volumes)" ]
  run "$K" restore "$file" --yes
  echo "$output"
  [ "$status" -eq 0 ]
  head_at 3
  [ "$head" = "$before" ]
  [ "$(postback 4)" = 200 ]
  head_at 4
}

@test "both tokens open after a rotation, and the older one no more after its end" {
  old=$(value EPN_SECRET_TOKEN)
  "$K" rotate-token
  new=$(value EPN_SECRET_TOKEN)
  for token in "${new%%,*}" "$old"; do
    sed -i "s/^EPN_SECRET_TOKEN=.*/EPN_SECRET_TOKEN=$token/" "$DIR/.env"
    [ "$(postback 5)" = 200 ]
  done
  sed -i "s/^EPN_SECRET_TOKEN=.*/EPN_SECRET_TOKEN=$new/" "$DIR/.env"
  "$K" rotate-token --finish
  sed -i "s/^EPN_SECRET_TOKEN=.*/EPN_SECRET_TOKEN=$old/" "$DIR/.env"
  [ "$(postback 6)" = 404 ]
  sed -i "s/^EPN_SECRET_TOKEN=.*/EPN_SECRET_TOKEN=${new%%,*}/" "$DIR/.env"
}

@test "a release that does not start is left again by itself, and the books go on" {
  head_at 5
  release=$(readlink "$DIR/current")
  mkdir "$T/bad"
  (cd "$DIR/current" && tar -cf - --exclude=.env --exclude=VERSION .) | tar -xf - -C "$T/bad"
  echo 9.9.9 > "$T/bad/VERSION"
  # The image of the release that runs, and a Compose file that starts it with a command that is not there.
  sed -i 's|command: \[services/epn/main.js\]|command: [services/epn/nowhere.js]|' "$T/bad/docker-compose.yml"
  grep -q nowhere.js "$T/bad/docker-compose.yml"
  run bash "$T/bad/install.sh" --non-interactive --dir "$DIR" --bin-dir "$T/bin" --skip-dns-check
  echo "$output"
  [ "$status" -eq 75 ]
  [[ $output == *'epn ends again and again'* ]]
  [ "$(readlink "$DIR/current")" = "$release" ]
  [ "$(postback 7)" = 200 ]
  head_at 6
}

@test "uninstall keeps .env, backups and every volume; installed again, the books are there" {
  before=$(volumes)
  sum=$(sha256sum "$DIR/.env")
  run bash "$ROOT/install.sh" --dir "$DIR" --uninstall --yes
  echo "$output"
  [ "$status" -eq 0 ]
  [ -z "$(docker ps -aq --filter name=kopeck-install-test)" ]
  [ ! -e "$K" ]
  [ "$(volumes)" = "$before" ]
  [ "$(sha256sum "$DIR/.env")" = "$sum" ]
  # shellcheck disable=SC2086
  bash "$ROOT/install.sh" $ANSWERS > /dev/null
  head_at 6
}

@test "a purge leaves nothing" {
  run bash "$ROOT/install.sh" --dir "$DIR" --uninstall --purge --yes --yes-delete-my-data
  echo "$output"
  [ "$status" -eq 0 ]
  [ -z "$(volumes)" ]
  [ -z "$(docker ps -aq --filter name=kopeck-install-test)" ]
  [ ! -e "$DIR" ]
}
