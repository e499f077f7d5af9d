-- How often an event came again after it was decided, and when: a plain repeat books nothing and is told
-- to nobody, but whoever asks about a payment may want to know.
CREATE TABLE IF NOT EXISTS repeats (
  event_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  times INT UNSIGNED NOT NULL,
  first_at DATETIME(6) NOT NULL,
  last_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
