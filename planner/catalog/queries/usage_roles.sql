-- One row per role that the session user may become and that has USAGE on every
-- schema in $1. $2 is the privilege that tells in this version whether it may
-- become the role.
select r.rolname
  from pg_roles r
 where pg_has_role(session_user, r.oid, $2)
   and not exists (select
                     from pg_namespace n
                    where n.nspname = any ($1::text[])
                      and not has_schema_privilege(r.oid, n.oid, 'usage'))
