-- One row: is standard_conforming_strings on wherever functions run, so that a
-- backslash in a plain constant is no escape?
select coalesce((select s.reset_val from pg_settings s where s.name = 'standard_conforming_strings'), 'on') = 'on'
   and not exists (select from pg_db_role_setting r, unnest(r.setconfig) c where c ~* '^standard_conforming_strings=')
