-- The ledger. Ids are ascii_bin; accounts, subjects and partners' ids are compared byte for byte
-- (case, accents and trailing spaces differ). Amounts are DECIMAL(38,18), times are UTC.

-- Every event that was decided, once. The chain of `hash` runs over `seq`.
CREATE TABLE IF NOT EXISTS inbox (
  event_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  seq BIGINT UNSIGNED NOT NULL UNIQUE,
  source VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  type VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  network VARCHAR(4) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(200) NULL,
  contenthash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  occurred_at DATETIME(3) NOT NULL,
  received_at DATETIME(3) NOT NULL,
  booked_at DATETIME(6) NOT NULL,
  data LONGTEXT NOT NULL,
  -- Every rate, price, plan and percent that was used, so that books can be rebuilt after they change.
  inputs LONGTEXT NOT NULL,
  evidence_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  KEY inbox_subject (subject, occurred_at),
  KEY inbox_received (received_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What came, as it came: personal data, which retention may empty.
CREATE TABLE IF NOT EXISTS evidence (
  event_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  body LONGBLOB NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The same id with other content: kept beside the first, never booked over it.
CREATE TABLE IF NOT EXISTS conflicts (
  event_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  contenthash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event LONGTEXT NOT NULL,
  seen_at DATETIME(6) NOT NULL,
  PRIMARY KEY (event_id, contenthash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS entries (
  seq BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  event_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
  booked_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS postings (
  seq BIGINT UNSIGNED NOT NULL,
  line SMALLINT UNSIGNED NOT NULL,
  subject VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  account VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  asset VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount DECIMAL(38,18) NOT NULL,
  PRIMARY KEY (seq, line),
  KEY postings_subject (subject),
  CONSTRAINT postings_entry FOREIGN KEY (seq) REFERENCES entries (seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS balances (
  account VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  asset VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount DECIMAL(38,18) NOT NULL,
  PRIMARY KEY (account, asset)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- State of today, folded from the events; all of it can be made again from the inbox.
CREATE TABLE IF NOT EXISTS orders (
  source VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  data LONGTEXT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  PRIMARY KEY (source, order_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS payments (
  subject VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL PRIMARY KEY,
  source VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_source VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
  status VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  asset VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  amount DECIMAL(38,18) NULL,
  updated_at DATETIME(6) NOT NULL,
  KEY payments_order (order_source, order_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS affiliate_actions (
  subject VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL PRIMARY KEY,
  partner VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  action_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  click_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  order_number VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  asset VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  commission DECIMAL(38,18) NULL,
  revision INT UNSIGNED NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  KEY affiliate_actions_click (click_id),
  KEY affiliate_actions_order (partner, order_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS subscriptions (
  user VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  plan VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  active_until DATETIME(3) NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (user, plan)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What a person must look at. One row per event and reason.
CREATE TABLE IF NOT EXISTS reviews (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  reason VARCHAR(200) NOT NULL,
  state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'open',
  opened_at DATETIME(6) NOT NULL,
  closed_at DATETIME(6) NULL,
  UNIQUE KEY reviews_event (event_id, reason),
  KEY reviews_subject (subject, state)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What the courier has to bring: written in the booking transaction, so neither lost nor invented.
CREATE TABLE IF NOT EXISTS outbox (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload LONGTEXT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  next_attempt_at DATETIME(6) NOT NULL,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  done_at DATETIME(6) NULL,
  last_error VARCHAR(300) NULL,
  KEY outbox_due (done_at, kind, next_attempt_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row. Whoever books holds it: seq has no gaps and the chain one order.
CREATE TABLE IF NOT EXISTS chain_head (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  seq BIGINT UNSIGNED NOT NULL,
  hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO chain_head VALUES (1, 0, REPEAT('0', 64)) ON DUPLICATE KEY UPDATE id = id;

CREATE TRIGGER IF NOT EXISTS entries_no_update BEFORE UPDATE ON entries FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'entries are never changed';
CREATE TRIGGER IF NOT EXISTS entries_no_delete BEFORE DELETE ON entries FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'entries are never deleted';
CREATE TRIGGER IF NOT EXISTS postings_no_update BEFORE UPDATE ON postings FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'postings are never changed';
CREATE TRIGGER IF NOT EXISTS postings_no_delete BEFORE DELETE ON postings FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'postings are never deleted';
