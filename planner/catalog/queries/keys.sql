-- One row per primary key, unique and foreign key constraint of the database.
-- Columns: kind; name; table and its columns; for a foreign key, the referenced
-- table and its columns; whether the constraint has no parent (a constraint of
-- a partition repeats its parent's); whether it is deferrable. Table columns are
-- numbers, which key_columns.sql names.
select contype, conname, conrelid, conkey, confrelid, confkey, conparentid = 0, condeferrable
  from pg_constraint
 where contype in ('p', 'u', 'f')
   and conrelid <> 0
 order by conrelid, conname
