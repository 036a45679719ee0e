package server

import (
	"strings"
	"testing"
)

// trapSchema has, in a schema of every search path, operators for all pairs of
// types that PostgreSQL compares only after a conversion, and functions that
// match a varchar better than the built-in ones. They record their callers.
const trapSchema = `
do $$ begin
  if not exists (select from pg_roles where rolname = 'trap_anon') then
    create role trap_anon;
    create role trap_login login noinherit;
    grant trap_anon to trap_login;
    alter role trap_anon set statement_timeout = '7s';
    alter role trap_login set pgrst.db_max_rows = '5';
  end if;
end $$;
create schema api;
create table api.item (id int primary key, name varchar);
insert into api.item values (1, 'a'), (2, 'b');
create function api.hello(who text default 'you') returns text language sql stable as $$ select 'hello '::text operator(pg_catalog.||) who $$;
create table public.caught (who text default current_user, what text);
do $$
declare
  types text[] := string_to_array('oid int4 int8 name text varchar "char" xid int2vector oid[] text[] name[]', ' ');
  l text; r text; op text; n int := 0; f record;
begin
  foreach op in array '{=,<>,<,>=,||,~,+,-}'::text[] loop
    foreach l in array types loop
      foreach r in array types loop
        continue when exists (select from pg_operator where oprname = op and oprleft = l::regtype and oprright = r::regtype);
        n := n + 1;
        execute format('create function public.trap_%s(%s, %s) returns %s language plpgsql as %L', n, l, r, case when op = '||' then 'text' when op in ('+', '-') then 'int4' else 'bool' end,
          format('begin insert into public.caught(what) values (%L); return null; end', concat_ws(' ', l, op, r)));
        execute format('create operator public.%s (leftarg = %s, rightarg = %s, function = public.trap_%s)', op, l, r, n);
      end loop;
    end loop;
  end loop;
  for f in
    select proname, string_agg(case t when 'text'::regtype then 'varchar' else format_type(t, null) end, ', ' order by i) as args, format_type(min(prorettype::int8)::oid, null) as result
      from pg_proc, unnest(proargtypes::oid[]) with ordinality a(t, i)
     where pronamespace = 'pg_catalog'::regnamespace and prokind = 'f' and not proretset and provariadic = 0 and 'text'::regtype = any (proargtypes::oid[])
       and proname in ('set_config', 'current_setting', 'split_part', 'strpos', 'substr', 'has_parameter_privilege', 'format', 'regexp_replace', 'lower', 'pg_notify', 'to_regclass', 'quote_ident', 'left', 'starts_with', 'replace', 'length')
     group by pg_proc.oid, proname
  loop
    execute format('create or replace function public.%I(%s) returns %s language plpgsql as %L', f.proname, f.args, f.result,
      format('begin insert into public.caught(what) values (%L); return null; end', f.proname || '(' || f.args || ')'));
  end loop;
end $$;
grant insert on public.caught to public;
grant usage on schema api to trap_anon;
grant all on all tables in schema api to trap_anon;
`

// TestTraps: a role that may create objects in a schema of the search path, which
// every role could before PostgreSQL 15, cannot make the authenticator run them.
// The authenticator may become any other role.
func TestTraps(t *testing.T) {
	w := startWriter(t, trapSchema, map[string]string{
		direct: "yes", login: "trap_login", "db-anon-role": "trap_anon", "db-schema-poll-interval": "3600", "db-session-reset": "always",
	})
	for range 2 {
		if err := w.loadCatalog(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.reloadConfig(t.Context())
		if print, err := (world{w.Server}).Look(t.Context(), false); err != nil || print == "" {
			t.Errorf("the look at the catalog: %q, %v", print, err)
		}
		w.sql("insert into api.item values ((select max(id) + 1 from api.item))") // something to look for
	}
	if rows := w.snapshot.Load().config.DBMaxRows; rows != 5 {
		t.Errorf("db-max-rows is %d", rows)
	}
	for _, r := range [][2]string{{"GET", "/item?id=eq.1"}, {"GET", "/item?name=like.a*&order=id"}, {"GET", "/rpc/hello?who=x"}, {"POST", "/rpc/hello"}, {"GET", "/"}, {"DELETE", "/item?id=eq.9"}} {
		if a := w.ask(r[0], r[1], "", "Prefer: count=exact", "Prefer: timezone=UTC"); a.status >= 500 {
			t.Errorf("%s %s: %v", r[0], r[1], a)
		}
	}
	if caught := w.sql("select string_agg(distinct who || ' called ' || what, ', ') from public.caught where who = 'trap_login'"); caught != "" {
		t.Error(caught)
	}
	if n := w.sql("select count(*) from pg_operator where oprnamespace = 'public'::regnamespace"); strings.TrimLeft(n, "0123456789") != "" || len(n) < 4 {
		t.Errorf("only %s traps", n)
	}
}
