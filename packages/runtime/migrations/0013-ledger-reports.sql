-- The days whose report was given to the courier. However many ledgers run, one of them writes the row.
CREATE TABLE IF NOT EXISTS daily_reports (
  day DATE NOT NULL PRIMARY KEY,
  written_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
