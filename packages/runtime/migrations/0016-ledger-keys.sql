-- Rows are kept in the order in which they come. An event's id is a hash: as the clustered key it sent every
-- event to another page, and a copy of it stood in every other index. It stays unique.
ALTER TABLE inbox DROP PRIMARY KEY, ADD PRIMARY KEY (seq),
  ADD UNIQUE KEY IF NOT EXISTS inbox_event (event_id), DROP KEY IF EXISTS seq;
ALTER TABLE evidence
  ADD COLUMN IF NOT EXISTS n BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE,
  DROP PRIMARY KEY, ADD PRIMARY KEY (n), ADD UNIQUE KEY IF NOT EXISTS evidence_event (event_id);

-- An entry has the seq of its event, and whoever moves the head is asked whether both name the same event: that
-- an event has one entry needs no index of its own.
ALTER TABLE entries DROP KEY IF EXISTS event_id;

-- One index finds the payments of an order, with its source and without.
ALTER TABLE payments ADD KEY IF NOT EXISTS payments_named (order_id, order_source),
  DROP KEY IF EXISTS payments_order, DROP KEY IF EXISTS payments_order_id;

-- Messages that wait lie together, however many were brought before.
ALTER TABLE outbox DROP KEY IF EXISTS outbox_subject, ADD KEY outbox_subject (done_at, kind, subject);
