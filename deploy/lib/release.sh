# shellcheck shell=bash
# Step 5: a release is a folder of its own, so that going back is moving a link.

# release_id SOURCE: what a release says of itself; a checkout is told by what is in it.
release_id() {
  if [[ -f $1/VERSION ]]; then
    tr -cd 'A-Za-z0-9_.-' < "$1/VERSION"
    return
  fi
  local version hash
  version=$(sed -nE 's/^  "version": "([0-9A-Za-z.-]+)".*/\1/p' "$1/package.json" | head -n 1)
  hash=$(cd "$1" && release_files | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-8)
  printf '%s-src.%s' "$version" "$hash"
}

# release_files: all that belongs to a release, below the folder one stands in.
release_files() {
  find . \( -name .git -o -name node_modules -o -name .local -o -name coverage -o -name certs -o -name dist \) -prune -o \
    -type f ! -name .env ! -name '.env.?*' ! -name '*.log' -print0 -o -name .env.example -print0
}

# unpack_release SOURCE ID: whole or not at all. Containers that are not root read some of these files.
unpack_release() {
  RELEASE=$KOPECK_DIR/releases/$2
  [[ ! -d $RELEASE ]] || return 0
  local unfinished=$RELEASE.unfinished
  rm -rf "$unfinished"
  mkdir -p "$unfinished"
  (cd "$1" && release_files | tar --null --no-recursion -T - -cf -) | tar -xf - --no-same-owner -C "$unfinished"
  printf '%s\n' "$2" > "$unfinished/VERSION"
  lock_images "$unfinished" "$2"
  pin_images "$unfinished"
  ln -s ../../.env "$unfinished/.env"
  chmod -R u=rwX,go=rX "$unfinished"
  mv "$unfinished" "$RELEASE"
}

# lock_images RELEASE ID: without the digests of a release, the image is one that is built here.
lock_images() {
  [[ -f $1/images.lock ]] || KOPECK_BUILD=1
  if [[ ${KOPECK_BUILD:-0} == 1 ]]; then
    touch "$1/images.lock"
    env_set "$1/images.lock" KOPECK_IMAGE "kopeck:$2"
  fi
}

is_built_here() {
  [[ $(env_get "$RELEASE/images.lock" KOPECK_IMAGE) == kopeck:* ]]
}

# release_in LINK: the id of the release that `current` or `previous` points to.
release_in() {
  [[ -L $KOPECK_DIR/$1 ]] || return 1
  basename "$(readlink "$KOPECK_DIR/$1")"
}

# use_release ID: `current` in one step; what was current becomes `previous`.
use_release() {
  local before
  before=$(release_in current || true)
  [[ $before != "$1" ]] || return 0
  [[ -z $before ]] || point previous "$before"
  point current "$1"
}

point() {
  ln -sfn "releases/$2" "$KOPECK_DIR/$1.new"
  mv -fT "$KOPECK_DIR/$1.new" "$KOPECK_DIR/$1"
}

# prune_releases: the current and the previous one are kept, with their images.
prune_releases() {
  local release id image
  for release in "$KOPECK_DIR"/releases/*/; do
    id=$(basename "$release")
    [[ $id != "$(release_in current)" && $id != "$(release_in previous || true)" ]] || continue
    image=$(env_get "$release/images.lock" KOPECK_IMAGE || true)
    [[ $image != kopeck:* ]] || docker image rm "$image" > /dev/null 2>&1 || true
    rm -rf "$release"
  done
}
