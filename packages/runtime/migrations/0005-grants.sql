-- What payments gave of a plan, one row a payment: `subscriptions` is folded from these. A payment that
-- was taken back stays with no days.
CREATE TABLE IF NOT EXISTS subscription_grants (
  subject VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  user VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  plan VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  days INT UNSIGNED NOT NULL,
  paid_at DATETIME(3) NOT NULL,
  PRIMARY KEY (subject, user, plan),
  KEY subscription_grants_plan (user, plan)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What has been said of a subject so far: the number of its last message, and the state it told.
CREATE TABLE IF NOT EXISTS outbox_subjects (
  subject VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL PRIMARY KEY,
  sequence BIGINT UNSIGNED NOT NULL,
  told VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Messages of one subject are brought in the order of their ids. A failing one holds the later ones
-- back until `held_until`; one that has failed for good is dead and waits for a person.
ALTER TABLE outbox
  ADD COLUMN IF NOT EXISTS subject
    VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
  ADD COLUMN IF NOT EXISTS held_until DATETIME(6) NULL,
  ADD COLUMN IF NOT EXISTS dead_at DATETIME(6) NULL,
  ADD KEY IF NOT EXISTS outbox_subject (kind, subject, done_at),
  ADD KEY IF NOT EXISTS outbox_dead (dead_at);
