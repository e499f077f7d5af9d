-- Purchases whose VPN configs admin keeps: who may fetch them, on which servers they live, and the
-- links that each server gave last. One row a link, so that a server that does not answer keeps its own.

CREATE TABLE IF NOT EXISTS purchases (
  id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  -- The secret end of /sub/{token}.
  token VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
  is_active BOOLEAN NOT NULL DEFAULT TRUE,
  -- Grows whenever a link changes.
  config_version INT UNSIGNED NOT NULL DEFAULT 0,
  created_at DATETIME(3) NOT NULL,
  refreshed_at DATETIME(3) NULL,
  -- Who refreshes it now, and until when the others believe that.
  refresh_lease CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  refresh_lease_until DATETIME(3) NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS purchase_servers (
  purchase_id BIGINT UNSIGNED NOT NULL,
  -- A key of PANELS.
  server_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position SMALLINT UNSIGNED NOT NULL,
  -- The panel's own name of the subscriber; never the token above.
  external_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  -- Of the links below, and when they were fetched: NULL before the first time.
  fingerprint CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  fetched_at DATETIME(3) NULL,
  PRIMARY KEY (purchase_id, server_id),
  CONSTRAINT purchase_servers_purchase FOREIGN KEY (purchase_id) REFERENCES purchases (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS purchase_configs (
  purchase_id BIGINT UNSIGNED NOT NULL,
  server_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position SMALLINT UNSIGNED NOT NULL,
  link TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
  PRIMARY KEY (purchase_id, server_id, position),
  CONSTRAINT purchase_configs_server FOREIGN KEY (purchase_id, server_id)
    REFERENCES purchase_servers (purchase_id, server_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
