# The host command.

load installed

setup_file() { install_once; }

setup() {
  installed_host
}

value() { sed -nE "s/^$1=//p" "$KOPECK_DIR/.env"; }

@test "without a terminal and arguments it tells its commands" {
  run setsid "$K"
  [[ $output == *rotate-token* && $output == *restore* ]]
}

@test "with a terminal it offers a menu" {
  command -v script > /dev/null || skip 'no script(1)'
  run script -qec "$K" /dev/null < <(printf '2\n')
  [[ $output == *doctor* && $output == *webhook/cryptobot* ]]
}

@test "what it does not know it asks the suite, with the answer's exit code" {
  echo ' cli audit' > "$FAKE/fail"
  run "$K" audit --head 1:x
  [ "$status" -eq 1 ]
  grep -q ' run --rm --no-deps -T .* cli audit --head 1:x$' "$FAKE/calls"
}

@test "what the operator adds to Compose stands in a file that outlives releases" {
  echo 'services: {}' > "$KOPECK_DIR/docker-compose.override.yml"
  "$K" logs epn
  grep -q -- "--file $KOPECK_DIR/docker-compose.override.yml .* logs epn$" "$FAKE/calls"
}

@test "the suite is handed secrets by name, never in the command line" {
  "$K" audit
  ! grep -qF "$(value EPN_SECRET_TOKEN)" "$FAKE/calls"
  ! grep -qE -- '-e (MARIADB|REDIS)_' "$FAKE/calls"
}

@test "env hides every secret, and those inside of URLs" {
  run "$K" env
  [[ $output == *WEBHOOK_DOMAIN=pay.example* ]]
  [[ $output == *'smtps://me:********@mail.example'* ]]
  ! grep -qE '[0-9a-f]{64}' <<< "$output"
}

@test "env set takes the value from standard input, and shows it nobody" {
  run "$K" env set CRYPTOBOT_TOKEN <<< 12345:abcdefabcdefabcdefabcdefabcdefabcde
  [ "$status" -eq 0 ]
  [[ $output != *abcdef* ]]
  [ "$(value CRYPTOBOT_TOKEN)" = 12345:abcdefabcdefabcdefabcdefabcdefabcde ]
  run "$K" env set 'not a key' <<< x
  [ "$status" -eq 64 ]
}

@test "urls shows the token of EPN only to who asks for it" {
  run "$K" urls
  [[ $output == *'/webhook/********?'* ]]
  run "$K" urls --show-secrets
  [[ $output == *"/webhook/$(value EPN_SECRET_TOKEN)?"* ]]
}

@test "a new token stands before the current one, until that is ended" {
  old=$(value EPN_SECRET_TOKEN)
  "$K" rotate-token
  [[ $(value EPN_SECRET_TOKEN) =~ ^[0-9a-f]{64},$old$ ]]
  new=$(value EPN_SECRET_TOKEN)
  run "$K" rotate-token
  [ "$status" -eq 64 ]
  [[ $output == *'rotate-token EPN_SECRET_TOKEN --finish'* ]]
  [ "$(value EPN_SECRET_TOKEN)" = "$new" ]
  "$K" rotate-token --finish
  [ "$(value EPN_SECRET_TOKEN)" = "${new%%,*}" ]
  run "$K" rotate-token WEBHOOK_DOMAIN
  [ "$status" -eq 64 ]
}

@test "a backup is one file that only root reads, with the head of the books in it" {
  run "$K" backup
  [ "$status" -eq 0 ]
  file=$(find "$KOPECK_DIR/backups" -name 'kopeck-*.tar')
  [ "$(stat -c %a "$file")" = 600 ]
  tar -xOf "$file" ./manifest | grep -q "^head=7:0\{64\}$"
  tar -xf "$file" -C "$T"
  (cd "$T" && sha256sum --quiet -c SHA256SUMS)
  grep -q '^pause id-epn' "$FAKE/calls"
  grep -q '^unpause id-epn' "$FAKE/calls"
}

@test "a dump that breaks off is no backup, and no receiver stays paused: exit code 79" {
  echo 'cp id-epn' > "$FAKE/fail"
  run "$K" backup
  [ "$status" -eq 79 ]
  [ "$(find "$KOPECK_DIR/backups" -type f | wc -l)" = 0 ]
  [ "$(grep -c '^pause' "$FAKE/calls")" = "$(grep -c '^unpause' "$FAKE/calls")" ]
}

@test "whoever interrupts a backup leaves no receiver standing still" {
  touch "$FAKE/interrupt"
  run "$K" backup
  [ "$status" -eq 130 ]
  [ "$(tail -n 1 "$FAKE/calls")" = 'unpause id-sbp' ]
}

@test "as many backups are kept as BACKUP_KEEP says" {
  for day in 01 02 03 04 05 06 07 08; do touch "$KOPECK_DIR/backups/kopeck-202601${day}T000000Z.tar"; done
  "$K" backup
  [ "$(find "$KOPECK_DIR/backups" -type f | wc -l)" = 7 ]
  [ ! -e "$KOPECK_DIR/backups/kopeck-20260101T000000Z.tar" ]
}

@test "a backup that was changed is refused before anything is stopped: exit code 65" {
  "$K" backup
  file=$(find "$KOPECK_DIR/backups" -name 'kopeck-*.tar')
  mkdir "$T/x" && tar -xf "$file" -C "$T/x" && echo 'A=1' >> "$T/x/env" && tar -cf "$T/changed.tar" -C "$T/x" .
  run "$K" restore "$T/changed.tar" --yes
  [ "$status" -eq 65 ]
  ! grep -q ' stop ' "$FAKE/calls"
}

@test "a restore that nobody has confirmed does nothing: exit code 64" {
  "$K" backup
  run setsid "$K" restore "$(find "$KOPECK_DIR/backups" -name 'kopeck-*.tar')"
  [ "$status" -eq 64 ]
  ! grep -q ' stop ' "$FAKE/calls"
}

@test "mapping files of affiliate networks are in a backup, and come back with it" {
  [ "$(stat -c %a "$KOPECK_DIR/networks")" = 755 ]
  echo '{"partner":"one"}' > "$KOPECK_DIR/networks/one.json"
  "$K" backup
  rm -r "$KOPECK_DIR/networks"
  run "$K" restore "$(find "$KOPECK_DIR/backups" -name 'kopeck-*.tar')" --yes
  [ "$(cat "$KOPECK_DIR/networks/one.json")" = '{"partner":"one"}' ]
}

@test "books that end elsewhere than the backup said are not started: exit code 76" {
  "$K" backup
  : > "$FAKE/calls"
  run "$K" restore "$(find "$KOPECK_DIR/backups" -name 'kopeck-*.tar')" --yes
  [ "$status" -eq 76 ]
  ! grep -q 'up --detach --remove-orphans' "$FAKE/calls"
}

@test "rollback goes to the release before; without one it is exit code 64" {
  run "$K" rollback
  [ "$status" -eq 64 ]
  release 1.1.0
  bash "$T/1.1.0/install.sh" --non-interactive > /dev/null
  run "$KOPECK_DIR/current/deploy/kopeck" rollback
  [ "$status" -eq 0 ]
  [ "$(readlink "$KOPECK_DIR/current")" = releases/1.0.0 ]
}

@test "--help tells what a command takes, and does nothing else" {
  for name in $("$K" help | sed '/^and/,$d' | sed -nE 's/^  ([a-z-]+) .*/\1/p' | grep -vx compose); do
    : > "$FAKE/calls"
    run "$K" "$name" --help
    echo "$name: $output"
    [ "$status" -eq 0 ]
    [[ $output == *"kopeck $name"* ]]
    [ ! -s "$FAKE/calls" ]
  done
}

@test "every command of the host is in the list, in both languages" {
  for lang in en ru; do
    output=$(KOPECK_LANG=$lang "$K" --help)
    for name in status urls env logs backup restore upgrade rollback rotate-token doctor uninstall; do
      [ "$(grep -cE "^  $name .{3}" <<< "$output")" = 1 ]
      ! grep -q "help_$name" <<< "$output"
      [[ $output == *"  audit    proves the books"* ]]
    done
  done
}

@test "arguments that mean nothing are exit code 64, and nothing is done" {
  : > "$FAKE/calls"
  for wrong in 'status --jsn' 'doctor json' 'urls --all' 'env reset' 'env set' 'backup /mnt' 'backup --to' restore \
    'restore a b' 'upgrade --from /nowhere' 'rollback 1.0.0' 'rotate-token --end' 'rotate-token NO_SUCH_TOKEN'; do
    # shellcheck disable=SC2086 # words
    run "$K" $wrong < /dev/null
    echo "$wrong: $output"
    [ "$status" -eq 64 ]
  done
  [ ! -s "$FAKE/calls" ]
}

@test "status is exit code 1 when a container does not run, and says it as JSON, too" {
  run "$K" status
  [ "$status" -eq 0 ]
  [[ $output == *'traefik    Up 2 hours'* && $output == *Books* && $output != *migrate* ]]
  printf 'traefik|exited||Exited (1)\nepn|running|unhealthy|Up\n' > "$FAKE/containers"
  echo 'running false unhealthy 0 0 ' > "$FAKE/state-id-epn" # a backup has paused it
  run "$K" status
  [ "$status" -eq 0 ]
  echo 'exited false ' > "$FAKE/state-id-traefik"
  run "$K" status --json
  [ "$status" -eq 1 ]
  [ "$(read_json "$output" 'it.containers[0].state + it.suite.books')" = exitednull ]
}

@test "env check names what a service would refuse: exit code 65" {
  run "$K" env check
  [ "$status" -eq 0 ]
  echo check-env > "$FAKE/fail"
  run "$K" env check
  [ "$status" -eq 65 ]
}

@test "a key that no service knows is set, with a word about it" {
  run "$K" env set CRYPTOBOT_TOKNE <<< x
  [ "$status" -eq 0 ]
  [[ $output == *CRYPTOBOT_TOKNE*knows* || $output == *knows*CRYPTOBOT_TOKNE* ]]
  run "$K" env set CRYPTOBOT_TOKEN_FILE <<< /x
  [[ $output != *knows* ]]
}

@test "a container that ends again and again is not waited for to the end" {
  printf 'epn %s restarting 1 unhealthy\n' 4 5 7 > "$FAKE/looks"
  run "$K" up
  [ "$status" -eq 1 ]
  [[ $output == *'epn ends again and again'* ]]
}

@test "what is not ready yet is waited for, also what a backup has paused" {
  printf 'epn 9 running 0 %s\n' unhealthy starting healthy > "$FAKE/looks"
  run "$K" up
  [ "$status" -eq 0 ]
  [ "$(wc -l < "$FAKE/looks")" = 1 ]
}

@test "who waits for backups is told of one that is made, by a URL that no list of processes shows" {
  echo HEARTBEAT_URL_BACKUP=https://hc.example/ping/f00d-secret >> "$KOPECK_DIR/.env"
  run "$K" backup
  [ "$status" -eq 0 ]
  [ "$(cat "$FAKE/pinged")" = 'url = "https://hc.example/ping/f00d-secret"' ]
  ! grep -rq f00d-secret "$KOPECK_DIR/log"
  run "$K" env
  [[ $output != *f00d-secret* ]]
  rm "$FAKE/pinged"
  echo 'cp id-epn' > "$FAKE/fail"
  run "$K" backup
  [ "$status" -eq 79 ]
  [ ! -e "$FAKE/pinged" ]
}
