-- One row per schema named in $1 (exposed or in the extra search path). Fails
-- with 3F000 when one does not exist: a misspelt schema should be loud.
select quote_ident(asked)::regnamespace::oid
  from unnest($1::text[]) as asked
