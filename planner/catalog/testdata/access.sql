-- What reading may run. In schema code, the comment of every relation says what
-- is expected of it: "rls" for row security, "code" for user code, both or none.
-- Roles begin with acc_.
create schema code;
create schema away;

create function away.mine(int) returns int immutable language sql as 'select $1';
create function away.allowed() returns boolean stable language sql as 'select true';
create function away.same(int, int) returns boolean immutable language sql as 'select $1 = $2';
create operator away.=== (leftarg = int, rightarg = int, function = away.same);
create aggregate away.total(int) (sfunc = int4pl, stype = int);
create type away.mood as enum ('sad');
create domain away.checked as int check (away.mine(value) > 0);
create type away.pair as (a int, b int);
create function away.mood_number(away.mood) returns int immutable language sql as 'select 1';
create cast (away.mood as int) with function away.mood_number(away.mood);

-- tables
create table code.plain (id int, n int, mood away.mood);
comment on table code.plain is '';
create table code.stored (id int, twice int generated always as (away.mine(id)) stored);
comment on table code.stored is 'code';
create table code.stored_builtin (id int, twice int generated always as (id * 2) stored);
comment on table code.stored_builtin is '';
create table code.defaulted (id int default away.mine(1), check (away.mine(id) > 0));
comment on table code.defaulted is '';

-- policies
create table code.secured (id int, owner text);
alter table code.secured enable row level security;
create policy p on code.secured using (owner = current_user);
comment on table code.secured is 'rls';
create table code.secured_by_code (id int);
alter table code.secured_by_code enable row level security;
create policy p on code.secured_by_code using (away.allowed());
comment on table code.secured_by_code is 'rls code';
create table code.secured_by_check (id int);
alter table code.secured_by_check enable row level security;
create policy p on code.secured_by_check for insert with check (away.allowed());
comment on table code.secured_by_check is 'rls code';
create table code.secured_by_setting (id int);
alter table code.secured_by_setting enable row level security;
create policy p on code.secured_by_setting using (set_config('response.status', '418', true) is not null);
comment on table code.secured_by_setting is 'rls code';
create table code.not_enabled (id int);
create policy p on code.not_enabled using (away.allowed());
comment on table code.not_enabled is '';
create table code.no_policy (id int);
alter table code.no_policy enable row level security;
comment on table code.no_policy is 'rls';
create table code.secured_by_other (id int);
alter table code.secured_by_other enable row level security;
create policy p on code.secured_by_other using (exists (select from code.secured_by_code s where s.id = secured_by_other.id));
comment on table code.secured_by_other is 'rls code';

-- views
create view code.simple as select id, n + 1 as n, upper('x') from code.plain where n > 0;
comment on view code.simple is '';
create view code.calls as select away.mine(id) from code.plain;
comment on view code.calls is 'code';
create view code.calls_in_where as select id from code.plain where away.mine(id) > 0;
comment on view code.calls_in_where is 'code';
create view code.operates as select id from code.plain where id operator(away.===) 1;
comment on view code.operates is 'code';
create view code.aggregates as select away.total(id) from code.plain;
comment on view code.aggregates is 'code';
create view code.casts as select mood::int from code.plain;
comment on view code.casts is 'code';
create view code.casts_builtin as select id::text, 'sad'::away.mood from code.plain;
comment on view code.casts_builtin is '';
create view code.casts_domain as select id::away.checked from code.plain;
comment on view code.casts_domain is 'code';
create view code.rows as select (row(1, 2)::away.pair).a;
comment on view code.rows is 'code';
create view code.sets as select set_config('response.status', '418', true);
comment on view code.sets is 'code';
create view code.queries as select query_to_xml('select 1', true, true, '');
comment on view code.queries is 'code';
create view code.over as select * from code.simple;
comment on view code.over is '';
create view code.over_code as select * from (select * from code.calls) x;
comment on view code.over_code is 'code';
create view away.middle as select * from code.calls_in_where;
create view code.over_away as select * from away.middle;
comment on view code.over_away is 'code';
create view away.setting as select set_config('response.status', '418', true) as s;
create view code.over_setting as with s as (select * from away.setting) select 1 as one from s;
comment on view code.over_setting is 'code';
create view code.over_secured as select * from code.secured;
comment on view code.over_secured is 'rls';
create view code.over_secured_by_code as select 1 as one where exists (select from code.secured_by_code);
comment on view code.over_secured_by_code is 'rls code';
create view code.over_catalog as select relname from pg_class;
comment on view code.over_catalog is '';
create view code.from_function as select * from generate_series(1, 2);
comment on view code.from_function is '';
create view code.from_own_function as select * from away.mine(1);
comment on view code.from_own_function is 'code';
create materialized view code.stored_calls as select id from code.calls_in_where;
comment on materialized view code.stored_calls is '';
create view code.over_stored_calls as select * from code.stored_calls;
comment on view code.over_stored_calls is '';
create view code.replaced as select 1 as one;
create or replace view code.replaced as select away.mine(1) as one;
comment on view code.replaced is 'code';

-- inheritance, partitions, foreign tables
create table code.parent (id int);
create table code.child (twice int) inherits (code.parent);
alter table code.child enable row level security;
comment on table code.parent is '';
comment on table code.child is 'rls';
create extension file_fdw schema away;
create server far foreign data wrapper file_fdw;
create foreign table code.far (line text) server far options (filename '/dev/null');
comment on foreign table code.far is 'code';
create table code.parts (a int) partition by list (a);
create foreign table code.parts_far partition of code.parts for values in (1) server far options (filename '/dev/null');
comment on table code.parts is 'code';
create view code.over_parts as select a from code.parts;
comment on view code.over_parts is 'code';

-- who may read at all
create role acc_login login noinherit;
create role acc_reader;
create role acc_inner;
create role acc_stranger;
create role acc_outside;
create role acc_partly;
grant acc_reader, acc_partly, acc_inner, acc_stranger to acc_login;
grant acc_reader to acc_outside;
grant usage on schema code, away to acc_login, acc_reader, acc_outside;
grant usage on schema code to acc_partly;
grant acc_reader to acc_inner;
