-- One row per enum type: its oid, and its labels in order.
select enumtypid, json_agg(enumlabel order by enumsortorder)
  from pg_enum
 group by enumtypid
