-- What was booked is finished: whoever may write the books may not add to them before the head of the chain.
-- The head is read with a lock, so that a row which waits for a booking is held against the head that it leaves.
-- The inbox needs none: its numbers have no gap, so those before the head are taken, but for one.
CREATE OR REPLACE TRIGGER inbox_no_zero BEFORE INSERT ON inbox FOR EACH ROW
  IF NEW.seq = 0
  THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an event before the first is never added'; END IF;
CREATE OR REPLACE TRIGGER entries_no_late BEFORE INSERT ON entries FOR EACH ROW
  IF NEW.seq <= (SELECT seq FROM chain_head WHERE id = 1 LOCK IN SHARE MODE)
  THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an entry is never added later'; END IF;
CREATE OR REPLACE TRIGGER postings_no_late BEFORE INSERT ON postings FOR EACH ROW
  IF NEW.seq <= (SELECT seq FROM chain_head WHERE id = 1 LOCK IN SHARE MODE)
  THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a posting is never added later'; END IF;

-- As before, with its columns named: a newer release may add one.
CREATE OR REPLACE TRIGGER chain_head_balances AFTER UPDATE ON chain_head FOR EACH ROW
  INSERT INTO balances (account, asset, amount) SELECT account, asset, SUM(amount) FROM postings
    WHERE seq > OLD.seq AND seq <= NEW.seq GROUP BY account, asset
    ON DUPLICATE KEY UPDATE amount = balances.amount + VALUES(amount);
