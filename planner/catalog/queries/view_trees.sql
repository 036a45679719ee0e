-- One row per view or materialized view in $1: its oid and the parsed query
-- behind it, which is the action of its SELECT rule; other rules may write to
-- other tables and say nothing about its columns. nodetree.go reads them.
select ev_class, ev_action::text
  from pg_rewrite
 where ev_type = '1'
   and ev_class = any ($1::oid[])
