#!/usr/bin/env python3
"""Verifies Kopeck's chain of hashes with nothing of Kopeck's: one JSON object a line on stdin.

    npm run --silent kopeck -- export --chain | python3 docs/verify-chain.py [SEQ:HASH]
    mariadb --batch --raw --skip-column-names kopeck < docs/chain.sql | python3 docs/verify-chain.py

Prints the head SEQ:HASH. With a head that was mailed or printed before, the chain must pass through it.
"""
import hashlib, json, sys

FIELDS = ('seq id source type subject network outcome reason contenthash occurredAt receivedAt '
          'evidenceHash data inputs postings').split()
head, seq = '0' * 64, 0
wanted = sys.argv[1] if len(sys.argv) > 1 else f'0:{head}'
seen = wanted == f'0:{head}'
for line in sys.stdin.buffer:
    row = json.loads(line)
    row['postings'] = json.dumps(row['postings'], ensure_ascii=False, separators=(',', ':'))
    link = hashlib.sha256(bytes.fromhex(head))
    for value in (str(row[field] or '').encode() for field in FIELDS):
        link.update(len(value).to_bytes(4, 'big') + value)  # each after its length in bytes
    head, seq = link.hexdigest(), seq + 1
    if (int(row['seq']), row['hash']) != (seq, head):
        sys.exit(f'WRONG at seq {row["seq"]}: expected seq {seq} and {head}')
    seen = seen or wanted == f'{seq}:{head}'
if not seen:
    sys.exit(f'WRONG: the chain does not pass through {wanted}')
print(f'{seq}:{head}')
