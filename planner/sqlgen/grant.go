package sqlgen

// MissingPrivileges returns the privileges that the current role does not have, of those that the parameter lists.
// The parameter is a JSON array of objects with the members place (a number), schema, name, privilege, columns and
// types, as in planner.Need; types can be read by to_regtype. The columns of the result are the name of the object
// and a sentence with the GRANT. What PostgreSQL checks first comes first.
//
// An object that does not exist has no row. Sequences are those that a default of a column takes its value from, if
// an INSERT does not name the column.
const MissingPrivileges = `WITH need AS MATERIALIZED (
  SELECT r.place, r.schema, r.name, r.privilege, r.columns, r.types, s.oid AS namespace
    FROM pg_catalog.json_to_recordset($1::pg_catalog.json)
      AS r(place pg_catalog.int4, schema pg_catalog.text, name pg_catalog.text, privilege pg_catalog.text, columns pg_catalog.text[], types pg_catalog.text[])
    JOIN pg_catalog.pg_namespace s ON s.nspname = r.schema
), relation AS MATERIALIZED (
  SELECT need.*, c.oid, c.relname, pg_catalog.has_any_column_privilege(c.oid, need.privilege) AS partly,
         (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = c.oid AND a.attname::pg_catalog.text = ANY (need.columns) AND NOT a.attisdropped
             AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, need.privilege)) AS missing
    FROM need JOIN pg_catalog.pg_class c ON c.relnamespace = need.namespace AND c.relname = need.name
   WHERE need.privilege IN ('SELECT', 'INSERT', 'UPDATE')
), found AS (
  SELECT 1 AS step, place, schema AS object, pg_catalog.format('USAGE on the schema %1$I to %2$I: GRANT USAGE ON SCHEMA %1$I TO %2$I;', schema, current_user) AS phrase
    FROM need WHERE NOT pg_catalog.has_schema_privilege(namespace, 'USAGE')
  UNION ALL
  SELECT 2, place, relname::pg_catalog.text,
         CASE WHEN partly AND missing IS NOT NULL
              THEN pg_catalog.format('%1$s (%2$s) on %3$I.%4$I to %5$I: GRANT %1$s (%2$s) ON %3$I.%4$I TO %5$I;', privilege, missing, schema, name, current_user)
              ELSE pg_catalog.format('%1$s on %2$I.%3$I to %4$I: GRANT %1$s ON %2$I.%3$I TO %4$I;', privilege, schema, name, current_user) END
    FROM relation WHERE NOT partly OR missing IS NOT NULL
  UNION ALL
  SELECT 2, place, name, pg_catalog.format('DELETE on %1$I.%2$I to %3$I: GRANT DELETE ON %1$I.%2$I TO %3$I;', schema, name, current_user)
    FROM need JOIN pg_catalog.pg_class c ON c.relnamespace = namespace AND c.relname = name
   WHERE privilege = 'DELETE' AND NOT pg_catalog.has_table_privilege(c.oid, 'DELETE')
  UNION ALL
  SELECT 3, place, name, pg_catalog.format('EXECUTE on the function %1$I.%2$I to %4$I: GRANT EXECUTE ON FUNCTION %1$I.%2$I(%3$s) TO %4$I;', schema, name,
           (SELECT pg_catalog.string_agg(CASE WHEN t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace THEN pg_catalog.format_type(t.oid, NULL)
                                              ELSE pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname) END, ', ' ORDER BY a.at)
              FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) WITH ORDINALITY a(type, at)
              JOIN pg_catalog.pg_type t ON t.oid = a.type JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace), current_user)
    FROM need JOIN pg_catalog.pg_proc p ON p.pronamespace = namespace AND p.proname = name
   WHERE privilege = 'EXECUTE' AND pg_catalog.array_to_string(p.proargtypes::pg_catalog.oid[], ' ') = (
           SELECT COALESCE(pg_catalog.string_agg(pg_catalog.to_regtype(a.type)::pg_catalog.oid::pg_catalog.text, ' ' ORDER BY a.at), '')
             FROM pg_catalog.unnest(types) WITH ORDINALITY a(type, at))
     AND NOT pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
  UNION ALL
  SELECT 4, relation.place, q.relname::pg_catalog.text,
         pg_catalog.format('USAGE on the sequence %1$I.%2$I to %3$I: GRANT USAGE ON SEQUENCE %1$I.%2$I TO %3$I;', s.nspname, q.relname, current_user)
    FROM relation
    JOIN pg_catalog.pg_attribute a ON a.attrelid = relation.oid AND NOT a.attname::pg_catalog.text = ANY (relation.columns)
    JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = relation.oid AND ad.adnum = a.attnum
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = ad.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    JOIN pg_catalog.pg_class q ON q.oid = d.refobjid
    JOIN pg_catalog.pg_namespace s ON s.oid = q.relnamespace
   WHERE relation.privilege = 'INSERT'
     AND CASE WHEN q.relkind = 'S'::pg_catalog."char" THEN NOT pg_catalog.has_sequence_privilege(q.oid, 'USAGE, UPDATE') END
)
SELECT object, 'Grant ' || phrase FROM found ORDER BY step, place`
