-- What waits for a person is counted again and again, and is little of all that ever did.
ALTER TABLE reviews ADD KEY IF NOT EXISTS reviews_open (state, opened_at);
