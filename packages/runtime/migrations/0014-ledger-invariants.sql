-- Whoever books moves the head of the chain last of all. There the database looks at what was booked since
-- the head before, and refuses the whole transaction if it breaks an invariant of docs/architecture.md:
-- no program that writes the books can do otherwise, be it ours or another.

-- 4. No gap: the numbers from the old head to the new one are all there, none is beyond, the hash is the last.
CREATE OR REPLACE TRIGGER chain_head_gap BEFORE UPDATE ON chain_head FOR EACH ROW
  IF (NEW.seq <> OLD.seq OR NEW.hash <> OLD.hash) AND (NEW.seq <= OLD.seq
    OR (SELECT COUNT(*) FROM inbox WHERE seq > OLD.seq AND seq <= NEW.seq) <> NEW.seq - OLD.seq
    OR (SELECT MAX(seq) FROM inbox) <> NEW.seq
    OR (SELECT hash FROM inbox WHERE seq = NEW.seq) <> NEW.hash)
  THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the head must move to the last event, without a gap'; END IF;

-- 1. Sums: the postings of an entry add up to zero, per asset.
CREATE OR REPLACE TRIGGER chain_head_sums BEFORE UPDATE ON chain_head FOR EACH ROW
  IF EXISTS (SELECT 1 FROM postings WHERE seq > OLD.seq AND seq <= NEW.seq
    GROUP BY seq, asset HAVING SUM(amount) <> 0)
  THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the postings of an entry do not add up to zero'; END IF;

-- 3. Outcome: one of four; what is booked has an entry, what is noted or quarantined has none.
CREATE OR REPLACE TRIGGER chain_head_outcome BEFORE UPDATE ON chain_head FOR EACH ROW
  IF EXISTS (SELECT 1 FROM inbox i LEFT JOIN entries e ON e.seq = i.seq
    WHERE i.seq > OLD.seq AND i.seq <= NEW.seq AND NOT CASE i.outcome
      WHEN 'booked' THEN COALESCE(e.event_id = i.event_id, FALSE)
      WHEN 'review' THEN COALESCE(e.event_id = i.event_id, TRUE)
      WHEN 'noted' THEN e.seq IS NULL WHEN 'quarantined' THEN e.seq IS NULL ELSE FALSE END)
  THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an outcome and its entry do not go together'; END IF;

CREATE OR REPLACE TRIGGER chain_head_no_delete BEFORE DELETE ON chain_head FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the head of the chain is never deleted';

-- 2. Balances: made of the postings, here and nowhere else. No service may write them.
CREATE OR REPLACE TRIGGER chain_head_balances AFTER UPDATE ON chain_head FOR EACH ROW
  INSERT INTO balances SELECT account, asset, SUM(amount) FROM postings
    WHERE seq > OLD.seq AND seq <= NEW.seq GROUP BY account, asset
    ON DUPLICATE KEY UPDATE amount = balances.amount + VALUES(amount);
