#!/bin/sh
# Writes the users of Redis from the passwords in the environment, as SHA-256: no file of the host holds
# them, and a new password in .env needs nothing but a restart.
set -eu
umask 077

hash_of() {
  eval "password=\$REDIS_$1_PASSWORD"
  [ -n "$password" ] || { echo "Please set REDIS_$1_PASSWORD" >&2; exit 1; }
  printf %s "$password" | sha256sum | cut -c 1-64
}

rules=$(cat /etc/redis/users.acl)
for name in SBP CRYPTO EPN ADMIN LEDGER COURIER CLI; do
  hash=$(hash_of "$name")
  rules=$(printf '%s\n' "$rules" | sed "s/ #$name / #$hash /")
done
printf '%s\n' "$rules" > /run/redis/users.acl

exec redis-server /etc/redis/redis.conf
