-- Types of users or extensions that to_json prints as their quoted text, and
-- arrays of these types with the delimiter between elements (NULL for the types
-- themselves). Composites, domains and arrays of them are left out, and so is
-- every type with a cast to json, which to_json would use.
with texts as (
  select t.oid, t.typarray, t.typdelim
    from pg_type t
   where t.typtype in ('e', 'b', 'r', 'm')
     and t.oid >= 16384
     and not (t.typcategory = 'A' and t.typelem <> 0)
     and not exists (select from pg_cast c where c.castsource = t.oid and c.casttarget = 'json'::regtype))
select oid, null from texts
union all
select typarray, typdelim from texts where typarray <> 0
