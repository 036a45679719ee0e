-- One row per view or materialized view in $1: its oid and its parsed query.
-- The query is the action of the SELECT rule. Other rules may write to other
-- tables, and do not describe the view's columns. nodetree.go reads the query.
select ev_class, ev_action::text
  from pg_rewrite
 where ev_type = '1'
   and ev_class = any ($1::oid[])
