#!/usr/bin/env python3
"""Verifies Kopeck's chain of hashes with nothing of Kopeck's: one JSON object a line on stdin.

    npm run --silent kopeck -- export --chain | python3 docs/verify-chain.py [SEQ:HASH]
    mariadb --batch --raw --skip-column-names kopeck < docs/chain.sql | python3 docs/verify-chain.py

Prints the head SEQ:HASH. With a head that was mailed or printed before, the chain must pass through it.
"""
import hashlib
import json
import sys

FIELDS = ('seq id source type subject network outcome reason contenthash occurredAt receivedAt '
          'evidenceHash data inputs').split()


def text(field, value):
    if field.endswith('At'):  # '2026-10-05 12:00:00.000' of SQL is '2026-10-05T12:00:00.000Z'
        return value.replace(' ', 'T').removesuffix('Z') + 'Z'
    return '' if value is None else str(value)


def canonical(amount):
    return amount.rstrip('0').rstrip('.') if '.' in amount else amount


head, seq, wanted = '0' * 64, 0, (sys.argv[1:] or ['0:' + '0' * 64])[0]
seen = wanted == f'0:{head}'
for line in sys.stdin.buffer:
    row = json.loads(line)
    seq += 1
    lines = [[subject, account, asset, canonical(amount)] for subject, account, asset, amount in row['postings']]
    values = [text(field, row[field]) for field in FIELDS]
    values.append(json.dumps(lines, ensure_ascii=False, separators=(',', ':')))
    link = hashlib.sha256(bytes.fromhex(head))
    for value in values:  # each field after its length in bytes, 32 bits, big-endian
        link.update(len(value.encode()).to_bytes(4, 'big') + value.encode())
    head = link.hexdigest()
    if int(row['seq']) != seq or row['hash'] != head:
        sys.exit(f'WRONG at seq {row["seq"]}: expected seq {seq} and {head}')
    seen = seen or wanted == f'{seq}:{head}'
if not seen:
    sys.exit(f'WRONG: the chain does not pass through {wanted}')
print(f'{seq}:{head}')
