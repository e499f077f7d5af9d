# The script that curl serves.

INSTALL=$BATS_TEST_DIRNAME/../../install.sh

setup() {
  T=$BATS_TEST_TMPDIR
  mkdir -p "$T/bin" "$T/releases/v1.2.3" "$T/tree/deploy"
  printf '#!/bin/sh\necho "installing as $(id -u) with $*"\ncat\n' > "$T/tree/deploy/install"
  touch "$T/tree/docker-compose.yml"
  tar -czf "$T/releases/v1.2.3/kopeck-1.2.3.tar.gz" -C "$T/tree" .
  (cd "$T/releases/v1.2.3" && sha256sum kopeck-1.2.3.tar.gz > SHA256SUMS)
  FROM=(--version 1.2.3 --releases "file://$T/releases")
}

# fake NAME LINE...: a program of that name, before all others.
fake() {
  printf '#!/bin/sh\n%s\n' "$2" > "$T/bin/$1"
  chmod +x "$T/bin/$1"
}

@test "piped, it downloads the release, checks it, and hands its arguments on" {
  run bash -s -- "${FROM[@]}" --domain pay.example < "$INSTALL"
  [ "$status" -eq 0 ]
  [[ $output == *"--domain pay.example"* ]]
}

@test "what it starts cannot read the script's own text" {
  run bash -s -- "${FROM[@]}" < <(cat "$INSTALL"; echo 'echo LEFTOVER')
  [[ $output != *LEFTOVER* ]]
}

@test "a download that is not what SHA256SUMS says is exit code 74" {
  printf x >> "$T/releases/v1.2.3/kopeck-1.2.3.tar.gz"
  run bash -s -- "${FROM[@]}" < "$INSTALL"
  [ "$status" -eq 74 ]
  [[ $output != *installing* ]]
}

@test "a tarball without a checksum is exit code 74" {
  : > "$T/releases/v1.2.3/SHA256SUMS"
  run bash -s -- "${FROM[@]}" < "$INSTALL"
  [ "$status" -eq 74 ]
}

@test "a release that is not there is exit code 74" {
  fake curl 'exit 22'
  PATH=$T/bin:$PATH run bash -s -- "${FROM[@]}" < "$INSTALL"
  [ "$status" -eq 74 ]
}

@test "a copy of no release says so" {
  run bash -s -- --domain pay.example < "$INSTALL"
  [ "$status" -eq 64 ]
}

@test "out of a checkout, it installs that" {
  cp "$INSTALL" "$T/tree/install.sh"
  run bash "$T/tree/install.sh" --domain pay.example
  [[ $output == *"installing as 0 with --domain pay.example"* ]]
}

@test "not root, it asks sudo; without sudo it is exit code 77" {
  fake id 'echo 1000'
  fake sudo 'shift; echo "sudo $*"'
  cp "$INSTALL" "$T/tree/install.sh"
  PATH=$T/bin:$PATH run bash "$T/tree/install.sh" --yes
  [[ $output == "sudo bash $T/tree/deploy/install --yes" ]]
  rm "$T/bin/sudo"
  for program in bash dirname env; do ln -sf "$(command -v "$program")" "$T/bin/$program"; done
  PATH=$T/bin run bash "$T/tree/install.sh" --yes
  [ "$status" -eq 77 ]
}

@test "--check: 3 when nothing is newer, 0 and the version when something is" {
  mkdir -p "$T/k/current"
  echo 1.2.3 > "$T/k/current/VERSION"
  run bash -s -- --check --version 1.2.3 --dir "$T/k" < "$INSTALL"
  [ "$status" -eq 3 ]
  run bash -s -- --check --version 1.2.4 --dir "$T/k" < "$INSTALL"
  [ "$status" -eq 0 ]
  [ "$output" = 1.2.4 ]
}

@test "--help works without anything" {
  run bash "$INSTALL" --help
  [ "$status" -eq 0 ]
  [[ $output == *--smtp-url* ]]
}

# Every program that the script could call tells on it. Most bytes in one process: eval runs a command
# when its end has come, as bash does with what it reads; some as a pipe would break off.
@test "cut off at any byte, it does nothing" {
  local size at
  for program in bash cat cp curl env grep id mkdir mktemp mv rm sed sh sha256sum sudo tar; do
    fake "$program" "echo $program >> $T/called"
  done
  # A release's own copy, which needs no more than to be started.
  sed -e 's|^  STAMPED_VERSION=|&1.2.3|' -e "s|^  STAMPED_RELEASES=|&file://$T/releases|" "$INSTALL" > "$T/served"
  size=$(stat -c %s "$T/served")
  # The last byte but the newline is the brace that makes it whole.
  text=$(head -c "$((size - 2))" "$T/served") PATH=$T/bin LC_ALL=C "$BASH" -c '
    for ((at = 0; at <= ${#text}; at++)); do
      (eval "${text:0:at}") > "$1/out" 2> /dev/null < /dev/null
      [[ ! -s $1/out && ! -e $1/called ]] || { echo "byte $at"; exit 1; }
    done' - "$T"
  for ((at = 0; at <= size - 2; at += 97)); do
    head -c "$at" "$T/served" > "$T/part"
    PATH=$T/bin "$BASH" -s < "$T/part" > "$T/out" 2> /dev/null || true
    [[ ! -s $T/out && ! -e $T/called ]] || { echo "byte $at"; false; }
  done
  run bash < <(head -c "$((size - 1))" "$T/served")
  [ "$status" -eq 0 ]
}
