-- The chain of the audit: what `tollgated audit verify` says of an entry stands beside it.

ALTER TABLE tollgate.audit ADD COLUMN hash text;

-- What is written with every batch, and once in a while taken away as a whole, is kept as it comes: PostgreSQL spent two
-- fifths of its time packing it.

ALTER TABLE tollgate.journal_events ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE tollgate.journal_snapshots ALTER COLUMN bytes SET STORAGE EXTERNAL;
