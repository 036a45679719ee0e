package sqlgen

// Bookmark returns the position of the WAL behind all that has been committed, as
// timeline/LSN. The insert position counts: the record of an asynchronous commit may not
// be on the disk yet. The name of a WAL file begins with the timeline in hexadecimal.
const Bookmark = `SELECT ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(l.lsn), 8))::pg_catalog.bit(32)::pg_catalog.int4 || '/' || l.lsn
FROM (SELECT pg_catalog.pg_current_wal_insert_lsn() AS lsn OFFSET 0) AS l`
