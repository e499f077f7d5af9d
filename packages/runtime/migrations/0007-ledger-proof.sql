-- When evidence was emptied, and up to where: gone evidence after that is a finding of the audit.
CREATE TABLE IF NOT EXISTS retention_runs (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  upto_seq BIGINT UNSIGNED NOT NULL,
  emptied BIGINT UNSIGNED NOT NULL,
  run_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What the inbox holds is never changed either, whoever asks. A rebuild writes into another database.
CREATE OR REPLACE TRIGGER inbox_no_update BEFORE UPDATE ON inbox FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the inbox is never changed';
CREATE OR REPLACE TRIGGER inbox_no_delete BEFORE DELETE ON inbox FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the inbox is never deleted';

-- The decision of a person that closed a row: an event of its own, with who and why.
ALTER TABLE reviews ADD COLUMN IF NOT EXISTS
  decision_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL;

-- How `kopeck explain` finds an event by what a partner calls it.
ALTER TABLE payments ADD COLUMN IF NOT EXISTS
  payment_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
  ADD KEY IF NOT EXISTS payments_id (payment_id);
UPDATE payments p JOIN inbox i ON i.subject = p.subject AND i.type LIKE 'payment.%'
  SET p.payment_id = JSON_VALUE(i.data, '$.paymentId') WHERE p.payment_id IS NULL;
ALTER TABLE affiliate_actions ADD KEY IF NOT EXISTS affiliate_actions_id (action_id);
ALTER TABLE orders ADD KEY IF NOT EXISTS orders_id (order_id);
ALTER TABLE payments ADD KEY IF NOT EXISTS payments_order_id (order_id);
