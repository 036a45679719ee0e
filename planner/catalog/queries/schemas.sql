-- One row per schema named in $1 (exposed, or in the extra search path). If one
-- does not exist the query fails with 3F000, so that a misspelt schema is
-- noticed.
select quote_ident(asked)::regnamespace::oid
  from unnest($1::text[]) as asked
