-- What a shop may say with an order, the address of the payer's page, and refunds.
ALTER TABLE sbp_orders
  ADD COLUMN IF NOT EXISTS description VARCHAR(140) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
  ADD COLUMN IF NOT EXISTS return_url VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- JSON: what the payment gives its user, as it goes into the event order.created.
  ADD COLUMN IF NOT EXISTS grants TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '[]',
  -- 128 random bits: whoever has it may see the code and how the payment stands.
  ADD COLUMN IF NOT EXISTS pay_token CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD UNIQUE KEY IF NOT EXISTS pay_token (pay_token),
  -- The operation in SBP: some providers want it named in a refund.
  ADD COLUMN IF NOT EXISTS operation_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL;

-- One row is one refund that a shop asked for, written before the provider hears of it.
CREATE TABLE IF NOT EXISTS sbp_refunds (
  -- Our own id, the one that the provider sees where it takes one.
  refund_key CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  order_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  refund_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  attempt_id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kopecks BIGINT UNSIGNED NOT NULL,
  -- intended: not sent yet; sent: nobody knows what came of it; pending: the provider is at it; succeeded; failed.
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  provider_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at DATETIME(3) NOT NULL,
  next_look_at DATETIME(3) NULL,
  UNIQUE KEY sbp_refunds_shop (order_id, refund_id),
  KEY sbp_refunds_due (next_look_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
