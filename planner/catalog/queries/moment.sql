-- One row that stays the same while nothing is written: what a query would see
-- now, and on a replica how far it has come (its snapshots do not list the
-- transactions under way).
select pg_current_snapshot()::text, coalesce(pg_last_wal_replay_lsn()::text, '')
