-- When the youngest canary that was booked had set out. One row, and no part of the books: it says only that
-- an event can go the whole way, from a journal to a commit.

CREATE TABLE IF NOT EXISTS heartbeat (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  sent_at DATETIME(3) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
