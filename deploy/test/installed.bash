# A tree that looks like a release, and a host of fakes to install it on.

# prepare_host [FOLDER]
prepare_host() {
  T=${1:-$BATS_TEST_TMPDIR}
  export FAKE=$T/fake KOPECK_DIR=$T/kopeck KOPECK_BIN_DIR=$T/bin KOPECK_LANG=en KOPECK_PUBLIC_IP=203.0.113.5
  # Where systemd and the kernel look: not those of the host that tests.
  export KOPECK_SYSTEMD_DIR=$T/systemd KOPECK_SYSCTL_DIR=$T/sysctl OVERCOMMIT=$T/overcommit
  export PATH=$BATS_TEST_DIRNAME/fake:$PATH
  ANSWERS=(--domain pay.example --acme-email me@example.com --alert-email me@example.com
    --smtp-url smtps://me:hunter2hunter2@mail.example:465 --non-interactive)
  [[ ! -e $FAKE ]] || return 0
  mkdir -p "$KOPECK_SYSTEMD_DIR" "$KOPECK_SYSCTL_DIR" "$FAKE"
  echo 0 > "$OVERCOMMIT"
  echo 203.0.113.5 > "$FAKE/dns"
  release 1.0.0
}

# install_once: for tests that begin with an installed suite. It is installed once for a file, since that
# takes longer than most of them.
install_once() {
  prepare_host "$BATS_FILE_TMPDIR/host"
  bash "$T/1.0.0/install.sh" "${ANSWERS[@]}" > /dev/null
  cp -a "$T" "$BATS_FILE_TMPDIR/untouched"
}

# installed_host: as install_once has left it, whatever the test before has done to it.
installed_host() {
  rm -rf "$BATS_FILE_TMPDIR/host"
  cp -a "$BATS_FILE_TMPDIR/untouched" "$BATS_FILE_TMPDIR/host"
  prepare_host "$BATS_FILE_TMPDIR/host"
  K=$KOPECK_DIR/current/deploy/kopeck
}

# release VERSION: an unpacked release in $T/VERSION.
release() {
  local tree=$T/$1
  mkdir -p "$tree/deploy"
  cp -r "$BATS_TEST_DIRNAME/../lib" "$BATS_TEST_DIRNAME/../install" "$BATS_TEST_DIRNAME/../kopeck" "$tree/deploy"
  cp "$BATS_TEST_DIRNAME"/../../{.env.example,docker-compose.yml,install.sh} "$tree"
  echo "$1" > "$tree/VERSION"
  echo "KOPECK_IMAGE=registry.example/kopeck:$1@sha256:$(printf '%064d' 1)" > "$tree/images.lock"
}

install_release() {
  local version=$1
  shift
  run bash "$T/$version/install.sh" "$@"
}

# read_json TEXT EXPRESSION: of `it`; fails where TEXT is no JSON.
read_json() {
  TEXT=$1 node -p "const it = JSON.parse(process.env.TEXT); $2"
}
