-- One row of the chain a line, as JSON, for docs/verify-chain.py. Run it with:
--   mariadb --batch --raw --skip-column-names kopeck < docs/chain.sql
SET SESSION group_concat_max_len = 4294967295;
SET NAMES utf8mb4 COLLATE utf8mb4_bin;
SELECT JSON_OBJECT(
  'seq', i.seq, 'id', i.event_id, 'source', i.source, 'type', i.type,
  'subject', i.subject COLLATE utf8mb4_bin,
  'network', i.network, 'outcome', i.outcome, 'reason', i.reason, 'contenthash', i.contenthash,
  'occurredAt', CONCAT(REPLACE(i.occurred_at, ' ', 'T'), 'Z'),
  'receivedAt', CONCAT(REPLACE(i.received_at, ' ', 'T'), 'Z'),
  'evidenceHash', i.evidence_hash, 'data', i.data, 'inputs', i.inputs, 'hash', i.hash,
  'postings', COALESCE(
    (SELECT JSON_COMPACT(CONCAT('[', GROUP_CONCAT(
       JSON_ARRAY(p.subject COLLATE utf8mb4_bin, p.account COLLATE utf8mb4_bin, p.asset,
         TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM p.amount))) ORDER BY p.line), ']'))
     FROM postings p WHERE p.seq = i.seq), JSON_ARRAY()))
FROM inbox i ORDER BY i.seq;
