-- Which servers of a purchase did not give their links in a bulk, separated by commas: where others of the
-- same purchase did, nothing else says so.

ALTER TABLE refresh_job_items
  ADD COLUMN IF NOT EXISTS failed_servers TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '';
