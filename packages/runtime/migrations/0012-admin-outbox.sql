-- What a refresh has to tell the ledger is kept in the transaction that keeps its links, and goes when
-- the journal has it: a process that dies in between loses no event. And purchases that the ledger's
-- subscriptions have made: one for each user and plan.

CREATE TABLE IF NOT EXISTS refresh_events (
  -- The event's own id: the same operation done again is the same row.
  id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  event TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  created_at DATETIME(3) NOT NULL,
  KEY by_age (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

ALTER TABLE purchases
  -- NULL: an operator has made it.
  ADD COLUMN IF NOT EXISTS plan VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
  ADD UNIQUE KEY IF NOT EXISTS by_plan (user_id, plan);
