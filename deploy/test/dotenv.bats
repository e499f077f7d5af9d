# What reads and writes .env.

setup() {
  source "$BATS_TEST_DIRNAME/../lib/load.sh"
  set -Eeuo pipefail
  T=$(mktemp -d)
  printf '# c\nA=1\nSECRET=\nP='"'"'pa$$w'"'"'\nCUSTOM_X=keep me\n' > "$T/.env"
  printf 'A=9\nB=2\nSECRET=\n#C=3\n' > "$T/example"
}

teardown() { rm -rf "$T"; }

@test "a merge keeps values, comments and keys that nobody knows, and names what is new" {
  run env_merge "$T/.env" "$T/example"
  [ "$output" = B ]
  [ "$(head -n 1 "$T/.env")" = '# c' ]
  [ "$(env_get "$T/.env" A)" = 1 ]
  [ "$(env_get "$T/.env" B)" = 2 ]
  [ "$(env_get "$T/.env" CUSTOM_X)" = 'keep me' ]
  ! grep -q C=3 "$T/.env"
}

@test "a second merge changes nothing" {
  env_merge "$T/.env" "$T/example"
  before=$(sha256sum < "$T/.env")
  run env_merge "$T/.env" "$T/example"
  [ -z "$output" ]
  [ "$before" = "$(sha256sum < "$T/.env")" ]
}

@test "a default fills what is empty, and once" {
  env_default "$T/.env" SECRET aaa
  env_default "$T/.env" SECRET bbb
  [ "$(env_get "$T/.env" SECRET)" = aaa ]
}

@test "any character comes back as it was" {
  for value in 'a$b`c"d'"'"'e\f#g h&|/' '{"pro-30":{"days":30}}' 'smtps://u:p%40ss@mail.example:465' '' ' x '; do
    env_set "$T/.env" P "$value"
    [ "$(env_get "$T/.env" P)" = "$value" ]
  done
}

@test "a value of two lines is refused, and the file stays" {
  before=$(sha256sum < "$T/.env")
  run env_set "$T/.env" A $'one\ntwo'
  [ "$status" -eq 65 ]
  [ "$before" = "$(sha256sum < "$T/.env")" ]
}

@test "what is written is read by nobody else" {
  chmod 644 "$T/.env"
  env_set "$T/.env" A 2
  [ "$(stat -c %a "$T/.env")" = 600 ]
}

@test "the same value again does not even touch the file" {
  touch -d '2020-01-01' "$T/.env"
  env_set "$T/.env" A 1
  [ "$(stat -c %y "$T/.env" | cut -c 1-4)" = 2020 ]
}

@test "the last of two lines wins, as with Compose" {
  printf 'A=second\n' >> "$T/.env"
  [ "$(env_get "$T/.env" A)" = second ]
}

@test "what the example wants and the file lacks is named" {
  run env_missing "$T/.env" "$T/example"
  [ "$output" = $'B\nSECRET' ]
}

@test "a secret is 64 hex digits, and another each time" {
  one=$(gen_secret)
  [[ $one =~ ^[0-9a-f]{64}$ ]]
  [ "$one" != "$(gen_secret)" ]
}
