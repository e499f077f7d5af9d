# A release, as it is made and as it is installed from where it lies.

load installed

setup() {
  prepare_host
  export DIST=$T/dist
  bash "$BATS_TEST_DIRNAME/../make-release" "file://$DIST" registry.example/kopeck:0.1.0
  VERSION=$(ls "$DIST" | sed -n 's/^v//p')
  # The real curl fetches, the fake one is the published port.
  mkdir "$T/curl"
  printf '#!/bin/bash\n[[ $* == *file://* ]] && exec /usr/bin/curl "$@"\nexec %q "$@"\n' \
    "$BATS_TEST_DIRNAME/fake/curl" > "$T/curl/curl"
  chmod +x "$T/curl/curl"
  PATH=$T/curl:$PATH
}

@test "the served script installs its own release, piped, with the digest of every image" {
  PATH=${PATH#*:} run bash -c "cat '$DIST/latest/install.sh'"
  [[ $output == *"STAMPED_RELEASES=file://$DIST"* ]]
  run bash -s -- "${ANSWERS[@]}" < "$DIST/latest/install.sh"
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(readlink "$KOPECK_DIR/current")" = "releases/$VERSION" ]
  for image in kopeck traefik redis mariadb; do
    grep -qE "_IMAGE:-[a-z./]*$image:[^@}]+@sha256:[0-9a-f]{64}\}" "$KOPECK_DIR/current/docker-compose.yml"
  done
  ! grep -q '^build -t' "$FAKE/calls"
}

@test "piped into bash at a terminal, it asks all the same" {
  command -v script > /dev/null || skip 'no script(1)'
  printf 'piped.example\n\n\n\nme@example.com\n' > "$T/typed"
  run script -qec "cat '$DIST/latest/install.sh' | bash" /dev/null < "$T/typed"
  echo "$output"
  grep -qx WEBHOOK_DOMAIN=piped.example "$KOPECK_DIR/.env"
  grep -qx ACME_EMAIL=me@example.com "$KOPECK_DIR/.env"
  grep -qx SMTP_URL= "$KOPECK_DIR/.env"
}

@test "a release holds no setting, no history and nothing that was installed" {
  run tar -tzf "$DIST/v$VERSION/kopeck-$VERSION.tar.gz"
  [[ $output == *./docker-compose.yml* && $output == *./.env.example* && $output == *./images.lock* ]]
  ! grep -qE '^\./(\.git/|\.env$|node_modules/|\.local/)' <<< "$output"
}

@test "made twice, it is the same to the byte" {
  before=$(sha256sum "$DIST/v$VERSION/kopeck-$VERSION.tar.gz")
  bash "$BATS_TEST_DIRNAME/../make-release" "file://$DIST" registry.example/kopeck:0.1.0
  [ "$before" = "$(sha256sum "$DIST/v$VERSION/kopeck-$VERSION.tar.gz")" ]
}

@test "--check tells whether this release is the one that runs" {
  mkdir -p "$KOPECK_DIR/current"
  echo "$VERSION" > "$KOPECK_DIR/current/VERSION"
  run bash "$DIST/latest/install.sh" --check
  [ "$status" -eq 3 ]
  echo 0.0.1 > "$KOPECK_DIR/current/VERSION"
  run bash "$DIST/latest/install.sh" --check
  [ "$status" -eq 0 ]
}
