-- The awkward corners of a schema cache. "api" is exposed, "side" is in the
-- extra search path, "hidden" is neither. What Load makes of it is in
-- corners.txt.
create schema api;
create schema side;
create schema hidden;
create schema "Odd ""Schema\";

-- ---------------------------------------------------------------------------
-- Keys of views
-- ---------------------------------------------------------------------------

create table hidden.author (id int primary key, name text);
create table hidden.book (id int primary key, author_id int constraint book_author references hidden.author, title text);

-- plain, renamed, chained, and a chain through the extra search path
create view api.author as select id, name from hidden.author;
create view api.book as select id, author_id, title from hidden.book;
create view api.renamed_book as select title as t, author_id as writer, id as number from api.book;
create view side.step as select id as step_id, author_id as step_author from hidden.book;
create view api.via_side as select step_author as a, step_id as b from side.step;
-- a chain through a schema we know nothing of ends there: no keys
create view hidden.wall as select id, author_id from hidden.book;
create view api.via_hidden as select id, author_id from hidden.wall;
create materialized view api.stored_book as select id as stored_id, author_id as stored_author from api.book;
create view api.over_stored as select stored_id, stored_author from api.stored_book;

-- one column under several names: all combinations
create view api.many_names as select id as id_a, id as id_b, author_id as who_a, author_id as who_b from hidden.book;

-- what the parser sees through, and what it does not
create view api.in_join as
  select b.id, b.author_id, a.id as author_key from hidden.book b join hidden.author a on a.id = b.author_id;
create view api.in_left_join as
  select b.id, a.id as author_key from hidden.book b left join hidden.author a on a.id = b.author_id;
create view api.in_using as select id, b.author_id from hidden.book b join hidden.author a using (id);
create view api.in_full_using as select id from hidden.book b full join hidden.author a using (id);
create view api.in_subquery as select s.x as id, s.y as author_id from (select id as x, author_id as y from hidden.book offset 0) s;
create view api.in_cte as with b as (select id, author_id from hidden.book) select id, author_id from b;
create view api.in_two_ctes as
  with b as (select id as i, author_id from hidden.book), c as (select i as j, author_id from b) select j as id, author_id from c;
create view api.in_recursive_cte as
  with recursive b as (select id, author_id from hidden.book union all select id + 1, author_id from b where false)
  select id, author_id from b;
create view api.in_union as select id, author_id from hidden.book union all select id, author_id from hidden.book;
create view api.in_lateral as select b.id, l.author_id from hidden.book b, lateral (select b.author_id) l;
create view api.in_group as select author_id, max(id) as id from hidden.book group by author_id;
create view api.in_distinct as select distinct on (author_id) id, author_id from hidden.book order by author_id, id;
create view api.in_window as select id, author_id, row_number() over (order by id) as n from hidden.book;
create view api.in_expression as select id + 0 as id, (author_id) as author_id from hidden.book;
create view api.in_cast as select id::int as id, author_id::bigint as author_id from hidden.book;
create view api.in_values as select v.id from (values (1), (2)) as v (id);
create view api.in_function as select g as id from generate_series(1, 2) as g;
create view api.whole_row as select b from hidden.book b;
create view api.sorted as select title from hidden.book order by author_id, id; -- junk entries in the target list
create view api.self_join as select x.id as first, y.id as second from hidden.book x join hidden.book y on y.author_id = x.author_id;
create view api.of_catalog as select oid, relname from pg_catalog.pg_class;
create view api.constants as select 1 as one, 'a\b{c}(d):resorigtbl 99'::text as two, null::text as three;

-- names that look like the tree they are written into
create table hidden.hostile (
  "a b"            int,
  "c,d"            int,
  "{e}"            int,
  "(f"             int,
  "g\"             int,
  "\{"             int,
  ":resorigtbl"    int,
  ":resorigtbl 1"  int,
  ":targetList"    int,
  "<>"             int,
  "1st"            int,
  """"             int,
  "new
line"            int,
  "tab	"          int,
  "ü 🎬"           int,
  "}"              int,
  primary key ("a b", "g\", ":resorigtbl", "}"),
  constraint "odd (fk)" foreign key ("\{", ":targetList", "<>", "ü 🎬")
    references hidden.hostile ("a b", "g\", ":resorigtbl", "}")
);
create view api.hostile as select * from hidden.hostile;
create view api.hostile_renamed as
  select "}" as "})", ":resorigtbl" as " :resno 7", "g\" as "\\", "a b" as "{TARGETENTRY :resno 1", "\{" as "<>", ":targetList" as ":", "<>" as "1", "ü 🎬" as "() "
    from api.hostile;

-- composite keys in a view, complete and not, in another order, repeated
create table api.place (country char(2), city text, name text, primary key (country, city));
create table api.visit (
  id int primary key, at_city text, at_country char(2), day date,
  constraint visit_place foreign key (at_country, at_city) references api.place (country, city)
);
create view api.visit_whole as select id, at_city as c, at_country as l from api.visit;
create view api.visit_part as select id, at_city from api.visit;
create view api.visit_twice as select at_city as c1, at_city as c2, at_country as l from api.visit;
create view api.place_turned as select city as stadt, country as land from api.place;
create view api.place_part as select city from api.place;

-- foreign keys of one name towards one table
create table hidden.town (id int primary key, alt int unique);
create table api.shop (id int primary key, town_id int, constraint in_town foreign key (town_id) references hidden.town);
create table api.mill (id int primary key, town_id int, constraint in_town foreign key (town_id) references hidden.town);
create table api.kiln (id int primary key, alt int, constraint in_town foreign key (alt) references hidden.town (alt));
create view api.town as select id, alt from hidden.town;

-- a rule that is no definition
create view api.ruled as select id, name from hidden.author;
create rule ruled_insert as on insert to api.ruled do instead insert into hidden.book (id, author_id) values (new.id, new.id);

-- ---------------------------------------------------------------------------
-- Kinds of relationships
-- ---------------------------------------------------------------------------

create table api.thing (id int primary key, code text unique, parent_id int references api.thing, twin_id int unique references api.thing);
create table api.by_key (thing_id int primary key references api.thing);
create table api.by_unique (id int primary key, thing_id int unique references api.thing);
create table api.by_index (id int primary key, thing_id int references api.thing);
create unique index on api.by_index (thing_id);
create table api.by_turned (
  a text, b char(2), unique (b, a),
  constraint turned foreign key (b, a) references api.place (country, city)
);
create table api.by_wider (
  a text, b char(2), c int, unique (b, a, c),
  constraint wider foreign key (b, a) references api.place (country, city)
);
create table api.to_unique (id int primary key, code text references api.thing (code));

create table api.tag (id int primary key, name text);
create table api.thing_tag (thing_id int references api.thing, tag_id int references api.tag, primary key (thing_id, tag_id));
create table api.thing_tag_wide (
  thing_id int references api.thing, tag_id int references api.tag, note text, primary key (tag_id, note, thing_id));
create table api.thing_tag_narrow (thing_id int references api.thing, tag_id int references api.tag, primary key (thing_id));
create table api.thing_tag_unique (id int primary key, thing_id int references api.thing, tag_id int references api.tag, unique (thing_id, tag_id));
create table api.triple (
  x int references api.thing, y int references api.thing, z int references api.tag, primary key (x, y, z));
create table hidden.secret_thing_tag (thing_id int references api.thing, tag_id int references api.tag, primary key (thing_id, tag_id));
create view api.known_thing_tag as select thing_id, tag_id from hidden.secret_thing_tag;
create table hidden.only_hidden (id int primary key);
create table api.to_hidden (id int primary key, hidden_id int references hidden.only_hidden);
create table "Odd ""Schema\"."T.1" (id int primary key, thing_id int references api.thing);

-- partitions
create table api.event (
  id int, at date, thing_id int references api.thing, primary key (id, at)
) partition by range (at);
create table api.event_old partition of api.event for values from (minvalue) to ('2020-01-01');
create table api.event_new partition of api.event for values from ('2020-01-01') to (maxvalue);
alter table api.event_new add constraint only_new foreign key (id) references api.tag;
create table api.event_note (
  id int primary key, event_id int, event_at date,
  constraint note_event foreign key (event_id, event_at) references api.event
);
create table api.event_tag (
  event_id int, event_at date, tag_id int references api.tag, primary key (event_id, event_at, tag_id),
  foreign key (event_id, event_at) references api.event
);

-- computed
create function api.tags_of(api.thing) returns setof api.tag stable language sql as 'select * from api.tag';
create function api.one_tag_of(api.thing) returns setof api.tag rows 1 stable language sql as 'select * from api.tag';
create function api.first_tag_of(api.thing) returns api.tag stable language sql as 'select * from api.tag';
create function api.by_key(api.thing) returns setof api.by_key stable language sql as 'select * from api.by_key'; -- replaces
create function api.only_hidden(api.to_hidden) returns setof hidden.only_hidden stable language sql as 'select * from hidden.only_hidden';
create function side.aside(api.thing) returns setof api.tag stable language sql as 'select * from api.tag';
create function api.from_hidden(hidden.author) returns setof api.tag stable language sql as 'select * from api.tag';
create function api.to_itself(api.thing) returns setof api.thing rows 1 stable language sql as 'select $1';
create function api.of_view(api.author) returns setof api.book stable language sql as 'select * from api.book';
create function api.of_partition(api.event_old) returns setof api.tag stable language sql as 'select * from api.tag';
create function api.two_args(api.thing, int) returns setof api.tag stable language sql as 'select * from api.tag';
create type api.loose as (a int);
create function api.of_type(api.loose) returns setof api.tag stable language sql as 'select * from api.tag';

-- ---------------------------------------------------------------------------
-- Columns
-- ---------------------------------------------------------------------------

create type api.mood as enum ('sad', 'so so', 'it''s "fine"', '{x,y}');
create domain api.d_int as int default 7 check (value > 0);
create domain api.d_int2 as api.d_int not null;
create domain api.d_char as varchar(5);
create domain api.d_char2 as api.d_char;
create domain api.d_mood as api.mood default 'sad';
create domain api.d_mood2 as api.d_mood;
create domain api.d_ints as int[];
create domain api.d_place as api.place;
create domain api.d_place2 as api.d_place;
create table api.no_columns ();
create table api.column_zoo (
  always_id      int generated always as identity,
  default_id     bigint generated by default as identity (sequence name api."Odd'Seq\"),
  serial_id      serial,
  doubled        int generated always as (c_int * 2) stored,
  c_int          int default 1 + 1,
  c_not_null     text not null,
  c_default_null text default null,
  c_varchar      varchar(20) default 'x''y',
  c_varchar_free varchar,
  c_char         char,
  c_char3        char(3),
  c_bpchar       bpchar,
  c_bit          bit,
  c_bit5         bit(5),
  c_varbit       varbit(8),
  c_varbit_free  varbit,
  c_numeric      numeric(10, 2),
  c_timestamp    timestamp(3) with time zone default now(),
  c_interval     interval day to second (2),
  c_varchars     varchar(7)[],
  c_mood         api.mood default 'so so',
  c_moods        api.mood[],
  c_d_int        api.d_int,
  c_d_int_own    api.d_int default 8,
  c_d_int2       api.d_int2,
  c_d_ints       api.d_int[],
  c_d_char       api.d_char,
  c_d_char2      api.d_char2,
  c_d_mood       api.d_mood,
  c_d_mood2      api.d_mood2,
  c_d_int_array  api.d_ints,
  c_place        api.place,
  c_d_place      api.d_place,
  c_dropped      int,
  "c ""odd"", \x"  text default E'a\nb'
);
alter table api.column_zoo drop column c_dropped;
comment on table api.column_zoo is E'A zoo\n\n"of" columns';
comment on column api.column_zoo.c_int is '';
comment on column api.column_zoo.c_mood is 'mood; not that of the domain';
create view api.column_view as select default_id, c_varchar, c_d_int, c_mood, c_d_mood2 from api.column_zoo;
comment on column api.column_view.c_mood is 'seen';
create materialized view api.column_matview as select c_int, c_mood from api.column_zoo;
create view api.joined_view as select a.id, t.name from api.thing a, api.tag t;

create extension file_fdw schema side;
create server files foreign data wrapper file_fdw;
create foreign table api.file_lines (line text, kind api.mood) server files options (filename '/dev/null');
create table api.mixed (a int) partition by list (a);
create foreign table api.mixed_far partition of api.mixed for values in (1) server files options (filename '/dev/null');

-- ---------------------------------------------------------------------------
-- Functions
-- ---------------------------------------------------------------------------

create function api.f_none() returns int language sql as 'select 1';
create function api.f_variadic(variadic v int[]) returns int language sql as 'select 1';
create function api.f_variadic_any(variadic v "any") returns int language internal as 'pg_num_nulls';
create function api.f_more_variadic(a text, b int default 1, variadic c text[] default '{}') returns int language sql as 'select 1';
create function api.f_out_first(out a int, b text, out c int, d text default 'x') language sql as 'select 1, 2';
create function api.f_inout(inout a int, inout b text default 'b') language sql as 'select 1, ''x''';
create function api.f_one_out(a int, out b text) language sql as 'select ''x''';
create function api.f_table(a int) returns table (x int, y text) language sql as 'select 1, ''x''';
create function api.f_setof_record() returns setof record language sql as 'select 1, 2';
create function api.f_record() returns record language sql as 'select 1, 2';
create function api.f_void() returns void language sql as '';
create function api.f_place() returns api.place language sql as 'select null::api.place';
create function api.f_setof_place() returns setof api.place language sql as 'select null::api.place';
create function api.f_d_place() returns api.d_place language sql as 'select null::api.d_place';
create function api.f_setof_d_place2() returns setof api.d_place2 language sql as 'select null::api.d_place2';
create function api.f_loose() returns api.loose language sql as 'select null::api.loose';
create function api.f_d_mood2() returns api.d_mood2 language sql as 'select null::api.d_mood2';
create function api.f_moods() returns setof api.mood[] language sql as 'select null::api.mood[]';
create function api.f_trigger() returns trigger language plpgsql as 'begin end';
create function api.f_event_trigger() returns event_trigger language plpgsql as 'begin end';
create procedure api.f_procedure() language sql as '';
create aggregate api.f_aggregate(int) (sfunc = int4pl, stype = int);
create function api.f_window() returns bigint language internal window as 'window_row_number';
create function api.f_unnamed_json(json) returns int language sql as 'select 1';
create function api.f_unnamed_jsonb(jsonb) returns int language sql as 'select 1';
create function api.f_unnamed_text(text default 'x') returns int language sql as 'select 1';
create function api.f_unnamed_bytea(bytea) returns int language sql as 'select 1';
create function api.f_unnamed_xml(xml) returns int language sql as 'select 1';
create function api.f_unnamed_int(int) returns int language sql as 'select 1';
create function api.f_unnamed_varchar(varchar) returns int language sql as 'select 1';
create function api.f_unnamed_two(json, json) returns int language sql as 'select 1';
create function api.f_unnamed_out(int, out x int) language sql as 'select 1';
create function api.f_half_named(a int, int) returns int language sql as 'select 1';
create function api.f_types(a char(3), b char[], c bit(3), d bit[], e varchar(3), f numeric(3, 1), g api.mood[], h api.d_int, i api.column_zoo) returns int language sql as 'select 1';
create function api.f_poly(a anyelement, b anyarray) returns anyelement language sql as 'select a';
create function api."f ""odd"" \"("a ""b\" int) returns int language sql as 'select 1';
create function api.f_settings() returns int language sql
  set statement_timeout = '10s' set work_mem = '1MB' set default_transaction_isolation = 'serializable' set search_path = api, "Odd ""Schema\" as 'select 1';
create function api.f_repeatable() returns int language sql set default_transaction_isolation = 'REPEATABLE READ' as 'select 1';
create function api.f_committed() returns int language sql set default_transaction_isolation = 'read uncommitted' as 'select 1';
create function api.f_stable() returns int stable language sql as 'select 1';
create function api.f_immutable() returns int immutable language sql as 'select 1';
comment on function api.f_none() is 'nothing at all';
create function api.f_over(a int, b int, c int) returns int language sql as 'select 1';
create function api.f_over(b text) returns int language sql as 'select 1';
create function api.f_over(a date) returns int language sql as 'select 1';
create function api.f_over(a int) returns int language sql as 'select 1';
create function api.f_over() returns int language sql as 'select 1';
create function api.f_over(b int, a int) returns int language sql as 'select 1';
create function api.f_over(bytea) returns int language sql as 'select 1';
comment on function api.f_over(text) is 'a comment goes last';
create function side.f_aside() returns int language sql as 'select 1';

-- ---------------------------------------------------------------------------
-- Representations and handlers
-- ---------------------------------------------------------------------------

create domain api.rep as int;
create function api.rep_json(api.rep) returns json language sql as 'select null::json';
create function api.rep_of_json(json) returns api.rep language sql as 'select null::api.rep';
create function hidden."rep Text"(api.rep) returns text language sql as 'select null::text';
create function api.rep_of_text(text) returns api.rep language sql as 'select null::api.rep';
create function api.rep_jsonb(api.rep) returns jsonb language sql as 'select null::jsonb';
create cast (api.rep as json) with function api.rep_json(api.rep) as implicit;
create cast (json as api.rep) with function api.rep_of_json(json) as implicit;
create cast (api.rep as text) with function hidden."rep Text"(api.rep) as implicit;
create cast (text as api.rep) with function api.rep_of_text(text) as assignment; -- not implicit
create cast (api.rep as jsonb) with function api.rep_jsonb(api.rep) as implicit; -- neither json nor text
create type api.no_domain as (a int);
create function api.no_domain_json(api.no_domain) returns json language sql as 'select null::json';
create cast (api.no_domain as json) with function api.no_domain_json(api.no_domain) as implicit;

create domain api."text/HTML" as text;
create domain api."Application/Vnd.Own" as text;
create domain api."application/vnd.pgrst.object" as text;
create domain api."*/*" as bytea;
create domain api."application/json" as json;
create domain api."text/with space" as text;
create domain api."text/*" as text;
create type api."image/enum" as enum ('x');
create domain side."image/png" as bytea;
create function api.html_step(text, api.thing) returns api."text/HTML" language sql as 'select null::api."text/HTML"';
create aggregate api.thing_html(api.thing) (sfunc = api.html_step, stype = api."text/HTML");
create function api.own_step(text, anyelement) returns api."Application/Vnd.Own" language sql as 'select null::api."Application/Vnd.Own"';
create aggregate api.any_own(anyelement) (sfunc = api.own_step, stype = api."Application/Vnd.Own");
create function api.object_step(text, api.author) returns api."application/vnd.pgrst.object" language sql as 'select null::api."application/vnd.pgrst.object"';
create aggregate api.author_object(api.author) (sfunc = api.object_step, stype = api."application/vnd.pgrst.object");
create function api.all_step(bytea, anyelement) returns api."*/*" language sql as 'select null::api."*/*"';
create aggregate api.any_all(anyelement) (sfunc = api.all_step, stype = api."*/*");
create function api.int_step(text, int) returns api."text/HTML" language sql as 'select null::api."text/HTML"';
create aggregate api.int_html(int) (sfunc = api.int_step, stype = api."text/HTML"); -- no relation
create aggregate side.thing_html(api.thing) (sfunc = api.html_step, stype = api."text/HTML"); -- not exposed
create function api.h_page() returns api."text/HTML" language sql as 'select null::api."text/HTML"';
create function api.h_pages() returns setof api."text/HTML" language sql as 'select null::api."text/HTML"';
create function api.h_png() returns side."image/png" language sql as 'select null::side."image/png"';
create function api.h_any(int) returns api."*/*" language sql as 'select null::api."*/*"';
create function api.h_space() returns api."text/with space" language sql as 'select null::api."text/with space"';
create function api.h_star() returns api."text/*" language sql as 'select null::api."text/*"';
create function api.h_enum() returns api."image/enum" language sql as 'select null::api."image/enum"';
create function api.h_json() returns api."application/json" language sql as 'select null::api."application/json"';
