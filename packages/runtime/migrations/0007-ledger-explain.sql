-- What `kopeck explain` looks up, in a few milliseconds whatever the books hold.
ALTER TABLE outbox ADD KEY IF NOT EXISTS outbox_event (event_id);
ALTER TABLE affiliate_actions ADD KEY IF NOT EXISTS affiliate_actions_number (order_number);
