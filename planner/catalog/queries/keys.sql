-- One row per primary key, unique and foreign key constraint of the database:
-- kind, name, table and its columns, for foreign keys also the table referred
-- to and its columns, and whether the constraint stands for itself (those of
-- partitions repeat their parent's). Columns are numbers; key_columns.sql names
-- them.
select contype, conname, conrelid, conkey, confrelid, confkey, conparentid = 0
  from pg_constraint
 where contype in ('p', 'u', 'f')
   and conrelid <> 0
 order by conrelid, conname
