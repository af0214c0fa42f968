-- The chain of the audit: what `tollgated audit verify` says of an entry stands beside it.

ALTER TABLE tollgate.audit ADD COLUMN hash text;
