#!/usr/bin/env bash
# Installs Kopeck, or upgrades it; running it again changes nothing.
#
#   curl -fsSL https://<where the releases are>/install.sh | bash -s -- --domain pay.example.com
#   ./install.sh --domain pay.example.com --build        out of a checkout or an unpacked release
#
# All of it is one group of commands: bash reads it to the closing brace before it does anything, so a
# download that breaks off at any byte does nothing.
{
  # A release's own copy of this file says where that release is: deploy/make-release writes it here.
  STAMPED_VERSION=
  STAMPED_RELEASES=

  usage() {
    cat << 'TEXT'
usage: install.sh [options]            every --option is also KOPECK_OPTION in the environment

  --domain D               the name (or IPv4 address) that partners will call
  --alert-email A          where alerts go; empty: nowhere
  --smtp-url URL           smtps://user:password@host:465; better as KOPECK_SMTP_URL, which nobody can list
  --alert-from A           the sender of alerts
  --db bundled|external    MariaDB here, or a server of yours
  --database-url URL       that server, as who may create users: better as KOPECK_DATABASE_URL
  --tls MODE               acme, acme-ip (an address), selfsigned, external (behind another proxy)
  --acme-email A           who Let's Encrypt writes to, if not --alert-email; --acme-staging for trials
  --bind A --http-port N --https-port N --trusted-proxies NETWORKS
  --build                  build the image on this host
  --yes --non-interactive  never ask; what is missing is named (exit code 64)
  --lang ru|en             of the questions
  --dir D                  default /opt/kopeck;  --bin-dir D  default /usr/local/bin;  --project NAME
  --version V --releases URL   another release, from elsewhere
  --skip-dns-check --skip-port-check --no-docker-install --no-backup --timeout SECONDS --verbose
  --check                  is there a newer release? 0 yes, 3 no
  --dry-run                looks at this host and does nothing
  --uninstall [--purge]    away with it; the data stays unless it is purged

exit codes: 0 done, 3 nothing newer, 64 a missing or wrong answer, 65 .env is not valid, 69 port, DNS or
disk, 70 a fault of ours, 74 download or build, 75 not healthy and rolled back, 76 not healthy, 77 not
root, 78 system or Docker, 79 no backup
TEXT
  }

  fail() {
    printf 'install.sh: %s\n' "$2" >&2
    exit "$1"
  }

  main() {
    set -Eeuo pipefail
    umask 077
    ((BASH_VERSINFO[0] >= 5 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4))) || fail 78 'bash 4.4 or newer is needed'
    VERSION=${KOPECK_VERSION:-$STAMPED_VERSION}
    RELEASES=${KOPECK_RELEASES:-$STAMPED_RELEASES}
    CHECK=${KOPECK_CHECK:-0}
    DIR=${KOPECK_DIR:-/opt/kopeck}
    read_own_flags "$@"
    if [[ $CHECK == 1 ]]; then check; fi
    find_source
    run_as_root "$@"
  }

  # The others are deploy/install's, which knows what is wrong with them.
  read_own_flags() {
    while (($# > 0)); do
      case $1 in
        -h | --help) usage && exit 0 ;;
        --version) VERSION=${2:-} ;;
        --version=*) VERSION=${1#*=} ;;
        --releases) RELEASES=${2:-} ;;
        --releases=*) RELEASES=${1#*=} ;;
        --dir) DIR=${2:-} ;;
        --dir=*) DIR=${1#*=} ;;
        --check) CHECK=1 ;;
      esac
      shift
    done
  }

  check() {
    [[ -n $VERSION ]] || fail 64 'this copy does not know its release: pass --version'
    [[ $(cat "$DIR/current/VERSION" 2> /dev/null) == "$VERSION" ]] && exit 3
    printf '%s\n' "$VERSION"
    exit 0
  }

  # Beside this file, where it came with everything else; else the release is downloaded.
  find_source() {
    local here=${BASH_SOURCE[0]:-}
    if [[ -n $here && -f $here ]]; then
      here=$(cd "$(dirname "$here")" && pwd)
      if [[ -f $here/docker-compose.yml && -f $here/deploy/install ]]; then
        SOURCE=$here
        return
      fi
    fi
    [[ -n $VERSION && -n $RELEASES ]] ||
      fail 64 'this copy was not made by a release: pass --version and --releases, or run it in a checkout'
    download
  }

  download() {
    local name=kopeck-$VERSION.tar.gz file
    SOURCE=$(mktemp -d)
    for file in "$name" SHA256SUMS; do
      fetch "$RELEASES/v$VERSION/$file" "$SOURCE/$file" ||
        fail 74 "$file of $VERSION could not be downloaded; nothing has changed"
    done
    (cd "$SOURCE" && grep -E "^[0-9a-f]{64} [ *]$name\$" SHA256SUMS | sha256sum --quiet -c -) ||
      fail 74 "$name is not what SHA256SUMS says; nothing has changed"
    tar -xzf "$SOURCE/$name" --no-same-owner -C "$SOURCE"
    rm "$SOURCE/$name" "$SOURCE/SHA256SUMS"
  }

  # Some hosts have IPv6 that leads nowhere.
  fetch() {
    curl -fsSL --retry 5 --connect-timeout 15 --speed-limit 1 --speed-time 60 -o "$2" "$1" ||
      curl -4 -fsSL --retry 2 --connect-timeout 15 --speed-limit 1 --speed-time 60 -o "$2" "$1"
  }

  # Standard input may be this very script: nothing that is started may read it.
  run_as_root() {
    if [[ $(id -u) == 0 ]]; then exec bash "$SOURCE/deploy/install" "$@" < /dev/null; fi
    command -v sudo > /dev/null || fail 77 'root is needed, and there is no sudo'
    exec sudo -E bash "$SOURCE/deploy/install" "$@" < /dev/null
  }

  main "$@"
  exit $?
}
