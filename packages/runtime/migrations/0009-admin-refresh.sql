-- What the refresh of many purchases needs: what panels tell of a subscription beside its links, the
-- servers that operators add while admin runs, and each bulk with one row a purchase, which are its
-- counters: a queue may forget or repeat, a row is concluded once.

ALTER TABLE purchases
  ADD COLUMN IF NOT EXISTS user_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
  ADD COLUMN IF NOT EXISTS expires_at DATETIME(3) NULL;

ALTER TABLE purchase_servers
  -- 3x-ui's subId, Remnawave's shortUuid: the panel's own, never our token.
  ADD COLUMN IF NOT EXISTS subscription_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
  ADD COLUMN IF NOT EXISTS subscription_url VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
  ADD COLUMN IF NOT EXISTS used_bytes BIGINT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS limit_bytes BIGINT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS expires_at DATETIME(3) NULL;

CREATE TABLE IF NOT EXISTS panel_servers (
  id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- AES-256-GCM of the configuration as JSON, with the id as associated data: see encrypt.ts.
  sealed BLOB NOT NULL,
  updated_at DATETIME(3) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS refresh_jobs (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  requested_by VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state ENUM('running', 'finished', 'cancelled') CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  total INT UNSIGNED NOT NULL,
  -- The job whose failures this one does again.
  retry_of CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  started_at DATETIME(3) NOT NULL,
  finished_at DATETIME(3) NULL,
  KEY by_state (state)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS refresh_job_items (
  job_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  purchase_id BIGINT UNSIGNED NOT NULL,
  -- Of the purchase's first server: jobs of one server wait for one another.
  lane VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- NULL until it is concluded.
  outcome ENUM('updated', 'unchanged', 'partial', 'failed', 'connection', 'cancelled')
    CHARACTER SET ascii COLLATE ascii_bin NULL,
  error VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  links INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (job_id, purchase_id),
  CONSTRAINT refresh_job_items_job FOREIGN KEY (job_id) REFERENCES refresh_jobs (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
