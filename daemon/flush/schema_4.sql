-- The journal as rows of a page each instead of one row a batch: one that is larger is cut into pieces of 2 KB, each with
-- an entry in an index, which cost as much as a fifth of all call records. Rows of before stay as they are.

IF current_setting('block_size')::integer >= 8192 THEN
    ALTER TABLE tollgate.journal_snapshots SET (toast_tuple_target = 8160);
    ALTER TABLE tollgate.journal_events SET (toast_tuple_target = 8160);
    ALTER TABLE tollgate.journal_files SET (toast_tuple_target = 8160);
END IF;
ALTER TABLE tollgate.journal_files ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- How many bytes of it there are, so that nobody has to count; NULL: nobody has.

ALTER TABLE tollgate.position ADD COLUMN event_bytes bigint;
ALTER TABLE tollgate.position ADD COLUMN snapshot_bytes bigint;
