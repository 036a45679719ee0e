-- One row that stays the same while nothing is written: the snapshot of a query
-- that runs now, and on a replica the replay position (its snapshots do not
-- list running transactions).
select pg_current_snapshot()::text, coalesce(pg_last_wal_replay_lsn()::text, '')
