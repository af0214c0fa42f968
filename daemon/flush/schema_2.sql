-- Where calls go, by the names that the operator gave to destinations. Its index is built apart, without a lock that
-- keeps anybody out: daemon/flush/postgres_schema.cc.

ALTER TABLE tollgate.call_records ADD COLUMN destination text;
ALTER TABLE tollgate.call_records ADD COLUMN destination_group text;
