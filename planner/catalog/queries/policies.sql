-- One row per policy in force: its table, and its two expressions as trees.
-- viewkeys.go searches them for built-in functions that can do anything.
select p.polrelid, concat(p.polqual::text, ' ', p.polwithcheck::text)
  from pg_policy p
  join pg_class c on c.oid = p.polrelid and c.relrowsecurity
