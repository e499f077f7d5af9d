-- Orders as the SBP service sees them: what a shop asked for, the attempt that was registered with the
-- provider, and when its state is to be read next. Amounts are whole kopecks, times are UTC.
CREATE TABLE IF NOT EXISTS sbp_orders (
  order_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL PRIMARY KEY,
  kopecks BIGINT UNSIGNED NOT NULL,
  provider VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- Our own id of the attempt, the only one that the provider sees. It is also the lease: whoever
  -- writes about an attempt names it, so a holder that slept too long changes nothing.
  attempt_id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
  -- claimed: nothing was sent yet; asked: the provider may have made a code; made; refused: it made none.
  creation VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  lease_until DATETIME(3) NOT NULL,
  payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  qrc_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  link VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NULL,
  expires_at DATETIME(3) NULL,
  status VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'pending',
  created_at DATETIME(3) NOT NULL,
  paid_at DATETIME(3) NULL,
  -- A callback moves it to now; a copy of the service that looks moves it ahead first, as a lease.
  next_look_at DATETIME(3) NULL,
  UNIQUE KEY sbp_orders_payment (provider, payment_id),
  KEY sbp_orders_due (next_look_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
