-- Fixture schema of the conformance corpus: the "Aurora" film festival and
-- its cinema chain, plus deliberately awkward corners.  Loaded by a superuser
-- into an empty UTF8 / C-locale database (needs the citext and btree_gist
-- contrib extensions).  Data is in data.sql.

set client_min_messages = error;

-- ---------------------------------------------------------------------------
-- Roles
-- ---------------------------------------------------------------------------

create role festival_owner nologin;
create role authenticator login noinherit password 'festival_pw';
create role web_anon   nologin;          -- unauthenticated requests
create role web_user   nologin;          -- signed-in visitor
create role web_editor nologin;          -- programme editor
create role web_admin  nologin bypassrls;
create role web_slow   nologin;          -- has a short statement_timeout
create role web_iso    nologin;          -- has a stricter isolation level
create role "Web-Guest.Ω" nologin;       -- a role name that needs quoting
create role web_mute   nologin;          -- may use the schema but nothing in it
create role web_orphan nologin;          -- exists, but authenticator may not become it

grant web_anon, web_user, web_editor, web_admin, web_slow, web_iso, "Web-Guest.Ω", web_mute
   to authenticator;

alter role web_slow   set statement_timeout = '400ms';
alter role web_iso    set default_transaction_isolation = 'serializable';
alter role web_editor set timezone = 'Asia/Kolkata';
alter role web_user   set "festival.badge" = 'visitor';

-- ---------------------------------------------------------------------------
-- Schemas
-- ---------------------------------------------------------------------------

create schema api            authorization festival_owner;
create schema api_v2         authorization festival_owner;
create schema "Archive Room" authorization festival_owner;
create schema private        authorization festival_owner;
create schema extras         authorization festival_owner;
create schema ops            authorization festival_owner;

create extension citext     schema extras;
create extension btree_gist schema extras;

comment on schema api is $$Aurora Festival API

Programme, venues and box office of the Aurora film festival.
Second line of the description.$$;
comment on schema api_v2 is 'Aurora Festival API, second edition';

grant usage on schema api, api_v2, "Archive Room", extras to
  web_anon, web_user, web_editor, web_admin, web_slow, web_iso, "Web-Guest.Ω", web_mute;
grant usage on schema ops, extras to authenticator;
grant usage on schema ops to
  web_anon, web_user, web_editor, web_admin, web_slow, web_iso, "Web-Guest.Ω", web_mute;

set role festival_owner;
set search_path = api, extras;

-- ---------------------------------------------------------------------------
-- Types and domains
-- ---------------------------------------------------------------------------

create type api.continent as enum ('africa', 'asia', 'europe', 'north america', 'oceania', 'south america');
create type api.visitor_level as enum ('guest', 'member', 'patron');
create type api.postal_address as (street text, city text, zip varchar(10), floor int);
create type api.stop as (place text, nights int, at postal_address);

create domain api.positive_int as int check (value > 0);
create domain api.short_code as varchar(8) check (value ~ '^[A-Z0-9-]+$');
create domain api.title_text as text not null default 'untitled' check (length(value) <= 120);

-- a colour is stored as an integer and shown as #RRGGBB
create domain api.colour as int check (value between 0 and 16777215);

create function api.colour_to_json(api.colour) returns json immutable language sql as
$$ select to_json('#' || upper(lpad(to_hex($1), 6, '0'))) $$;
create function api.colour_to_text(api.colour) returns text immutable language sql as
$$ select '#' || upper(lpad(to_hex($1), 6, '0')) $$;
create function api.colour_of_text(text) returns api.colour immutable language sql as
$$ select (('x' || lpad(ltrim($1, '#'), 8, '0'))::bit(32)::int)::api.colour $$;
create function api.colour_of_json(json) returns api.colour immutable language sql as
$$ select case json_typeof($1) when 'number' then ($1::text)::int::api.colour
          else api.colour_of_text($1 #>> '{}') end $$;

-- minutes are stored as an integer and shown as "2h 05m"; read-only representation
create domain api.minutes as int;
create function api.minutes_to_json(api.minutes) returns json immutable language sql as
$$ select to_json(($1 / 60) || 'h ' || lpad(($1 % 60)::text, 2, '0') || 'm') $$;

-- a ticket number is stored as bigint and only read through text
create domain api.ticket_no as bigint;
create function api.ticket_no_of_text(text) returns api.ticket_no immutable language sql as
$$ select replace($1, 'T-', '')::bigint::api.ticket_no $$;

reset role;
create cast (api.colour as json)      with function api.colour_to_json(api.colour) as implicit;
create cast (api.colour as text)      with function api.colour_to_text(api.colour) as implicit;
create cast (text as api.colour)      with function api.colour_of_text(text)       as implicit;
create cast (json as api.colour)      with function api.colour_of_json(json)       as implicit;
create cast (api.minutes as json)     with function api.minutes_to_json(api.minutes) as implicit;
create cast (text as api.ticket_no)   with function api.ticket_no_of_text(text)    as implicit;
set role festival_owner;

-- domains that name media types
create domain api."text/html" as text;
create domain api."text/plain" as text;
create domain api."text/xml" as xml;
create domain api."text/csv" as text;
create domain api."image/svg+xml" as text;
create domain api."application/octet-stream" as bytea;
create domain api."application/vnd.aurora.lines" as text;
create domain api."application/vnd.aurora.bin" as bytea;
create domain api."application/vnd.aurora.doc+json" as json;
create domain api."*/*" as bytea;

-- ---------------------------------------------------------------------------
-- Core tables
-- ---------------------------------------------------------------------------

create table api.country (
  code         char(2) primary key,
  name         text not null unique,
  region       continent,
  population   bigint check (population >= 0),
  area_km2     numeric(12,2),
  colours      text[],
  facts        jsonb
);
comment on table api.country is 'Countries films and people come from';
comment on column api.country.code is 'ISO 3166 alpha-2 code';

create table api.person (
  id           int generated by default as identity primary key,
  full_name    text not null,
  born         date,
  country_code char(2) references api.country (code),
  email        extras.citext unique,
  mentor_id    int references api.person (id),
  bio          text
);
comment on table api.person is $$People of the festival

Directors, producers, cast and crew.$$;

create table api.movie (
  id           int generated by default as identity primary key,
  title        text not null,
  released     date,
  runtime_min  smallint check (runtime_min > 0),
  rating       numeric(3,1),
  budget       numeric(14,2),
  director_id  int constraint movie_director_fk references api.person (id),
  producer_id  int constraint movie_producer_fk references api.person (id) on delete set null,
  country_code char(2) references api.country (code),
  tags         text[] not null default '{}',
  meta         jsonb,
  synopsis     text,
  synopsis_tsv tsvector generated always as (to_tsvector('english', coalesce(synopsis, ''))) stored
);
comment on table api.movie is 'Every film ever shown';
comment on column api.movie.rating is $$Average rating

From 0.0 to 10.0$$;

create table api.movie_detail (          -- one to one through the primary key
  movie_id     int primary key references api.movie (id) on delete cascade,
  camera       text,
  sound_mix    text,
  aspect       numeric(4,2)
);

create table api.poster (                -- one to one through a unique column
  id           int primary key,
  movie_id     int unique references api.movie (id) on delete cascade,
  title        text,
  image        bytea
);

create table api.genre (
  id           int primary key,
  name         text not null unique
);

create table api.movie_genre (           -- plain junction
  movie_id     int references api.movie (id) on delete cascade,
  genre_id     int references api.genre (id),
  primary key (movie_id, genre_id)
);

create table api.credit (                -- junction with a wider key and payload
  movie_id     int references api.movie (id) on delete cascade,
  person_id    int references api.person (id),
  job          text,
  billing      smallint not null default 1,
  character    text,
  primary key (movie_id, person_id, job)
);

create table api.venue (
  id           int generated by default as identity primary key,
  name         text not null unique,
  country_code char(2) references api.country (code),
  opened       date,
  location     point,
  address      postal_address,
  amenities    text[],
  score        numeric(3,2) check (score between 0 and 5),
  website      text
);

create table api.hall (                  -- composite primary key
  venue_id     int references api.venue (id),
  hall_no      int,
  name         text,
  seats        int,
  primary key (venue_id, hall_no)
);

create table api.screening (             -- composite foreign key
  id           int primary key,
  movie_id     int not null references api.movie (id),
  venue_id     int,
  hall_no      int,
  starts_at    timestamptz not null,
  price        numeric(8,2) not null,
  seats_taken  int not null default 0,
  constraint screening_hall_fk foreign key (venue_id, hall_no) references api.hall (venue_id, hall_no)
);

create table api.customer (
  id           uuid primary key default gen_random_uuid(),
  handle       text not null unique,
  level        visitor_level not null default 'guest',
  joined       date,
  prefs        jsonb,
  referred_by  uuid references api.customer (id)
);

create table api.ticket (
  id           bigint generated always as identity primary key,
  screening_id int not null references api.screening (id),
  customer_id  uuid references api.customer (id),
  seat         text,
  paid         numeric(8,2),
  bought_at    timestamp,
  unique (screening_id, seat)
);

create table api.favorite (              -- first junction customer <-> movie
  customer_id  uuid references api.customer (id),
  movie_id     int references api.movie (id),
  stars        int,
  primary key (customer_id, movie_id)
);

create table api.watchlist (             -- second junction customer <-> movie
  customer_id  uuid references api.customer (id),
  movie_id     int references api.movie (id),
  added        date,
  primary key (customer_id, movie_id)
);

create table api.friendship (            -- self many to many
  a            uuid references api.customer (id),
  b            uuid references api.customer (id),
  since        int,
  primary key (a, b)
);

create table api.edition (               -- self one to one
  id           int primary key,
  label        text not null,
  held         daterange,
  previous_id  int unique references api.edition (id)
);

create table api.award (
  id           int primary key,
  name         text not null,
  prize        numeric(10,2)
);

create table api.nomination (            -- ternary junction
  edition_id   int references api.edition (id),
  award_id     int references api.award (id),
  movie_id     int references api.movie (id),
  won          boolean,
  primary key (edition_id, award_id, movie_id)
);

create table api.section (               -- self one to many (a tree)
  id           int primary key,
  name         text not null,
  parent_id    int references api.section (id),
  sort_key     int
);

create table api.team (                  -- cyclic pair
  id           int primary key,
  name         text not null,
  captain_id   int
);
create table api.member (
  id           int primary key,
  name         text not null,
  team_id      int references api.team (id)
);
alter table api.team add constraint team_captain_fk foreign key (captain_id) references api.member (id);

create table api.shipment (              -- two foreign keys to the same table
  id           int primary key,
  label        text,
  from_venue   int constraint shipment_from references api.venue (id),
  to_venue     int constraint shipment_to   references api.venue (id)
);

create table api.review (
  id           int primary key,
  movie_id     int references api.movie (id),
  author       text,
  lang         text,
  stars        int,
  body         text,
  body_tsv     tsvector,
  extra        json
);

create table api.sponsor (               -- natural key, for upserts and PUT
  code         short_code primary key,
  name         text not null,
  since        int default 2000,
  amount       numeric(10,2),
  slogan       text unique
);
create table api.sponsor_deal (          -- composite natural key, no other columns than the key and one more
  sponsor_code short_code references api.sponsor (code),
  edition_id   int references api.edition (id),
  amount       numeric(10,2),
  primary key (sponsor_code, edition_id)
);

create table api.visit_log (             -- no primary key
  at           timestamp,
  path         text,
  note         text
);

create table api.season (                -- ranges
  id           int primary key,
  name         text,
  span         daterange,
  seats        int4range,
  prices       numrange
);

create table api.booking (               -- exclusion constraint
  id           int primary key,
  room         text,
  slot         int4range,
  constraint booking_no_overlap exclude using gist (room extras.gist_text_ops with =, slot with &&)
);

create table api.dossier (               -- json paths
  id           int primary key,
  doc          jsonb,
  raw          json,
  "Odd Doc"    jsonb
);

create table api.task (                  -- defaults, identity, generated
  id           int generated by default as identity (start with 1000) primary key,
  name         text not null default 'unnamed',
  qty          int default 5,
  unit_price   numeric(8,2) default 2.50,
  total        numeric(12,2) generated always as (qty * unit_price) stored,
  stamp        date default date '2024-01-01',
  flags        text[] default array['new'],
  note         text
);

create table api.locked_id (             -- GENERATED ALWAYS identity
  id           int generated always as identity primary key,
  label        text
);

create table api.only_defaults (         -- every column has a default
  id           int generated by default as identity primary key,
  label        text default 'x',
  made         date default date '2020-02-02'
);

create table api.single_col (only_col text primary key);

create table api.strict_row (            -- constraint playground
  id           int primary key,
  code         varchar(5) unique,
  amount       int check (amount between 1 and 100),
  ref          int references api.genre (id),
  must         text not null,
  constraint amount_not_13 check (amount <> 13)
);

create table api.deferred_pair (
  id           int primary key,
  peer         int,
  constraint deferred_pair_peer foreign key (peer) references api.deferred_pair (id) deferrable initially deferred
);

create table api.palette (               -- domain representations
  id           int primary key,
  name         text,
  shade        colour,
  accent       colour,
  length       minutes,
  ticket       ticket_no,
  shades       colour[]
);
create table api.swatch (
  id           int primary key,
  palette_id   int references api.palette (id),
  tint         colour
);
create view api.palette_view as select id, name as label, shade, length from api.palette;
create function api.palettes() returns setof api.palette stable language sql as $$ select * from api.palette $$;

create table api.box_office (            -- partitioned
  day          date not null,
  movie_id     int not null references api.movie (id),
  gross        numeric(12,2) not null,
  primary key (day, movie_id)
) partition by range (day);
create table api.box_office_2023 partition of api.box_office for values from ('2023-01-01') to ('2024-01-01');
create table api.box_office_2024 partition of api.box_office for values from ('2024-01-01') to ('2025-01-01');
create table api.box_office_rest partition of api.box_office default;

create table api.asset (                 -- inheritance
  id           int primary key,
  label        text
);
create table api.asset_print (reels int, primary key (id)) inherits (api.asset);
create table api.asset_projector (lumen int, primary key (id)) inherits (api.asset);

create table api.measurement (           -- the big one
  id           int primary key,
  station      text not null,
  taken_at     timestamp not null,
  value        double precision,
  bucket       int not null,
  note         text
);
create index measurement_bucket on api.measurement (bucket);

create table api.empty_table (id int primary key, label text);

create table api.price_list (id int primary key, item text, price numeric(8,2));

create table api.attachment (id int primary key, name text, data bytea);

-- every column type
create table api.type_zoo (
  id               int primary key,
  c_smallint       smallint,
  c_int            int,
  c_bigint         bigint,
  c_numeric        numeric,
  c_numeric_fixed  numeric(10,3),
  c_real           real,
  c_double         double precision,
  c_bool           boolean,
  c_text           text,
  c_varchar        varchar(20),
  c_char           char(6),
  c_citext         extras.citext,
  c_name           name,
  c_uuid           uuid,
  c_date           date,
  c_time           time,
  c_timetz         timetz,
  c_timestamp      timestamp,
  c_timestamptz    timestamptz,
  c_interval       interval,
  c_bytea          bytea,
  c_json           json,
  c_jsonb          jsonb,
  c_int_arr        int[],
  c_text_arr       text[],
  c_int_arr2       int[][],
  c_bool_arr       boolean[],
  c_numeric_arr    numeric[],
  c_jsonb_arr      jsonb[],
  c_uuid_arr       uuid[],
  c_ts_arr         timestamptz[],
  c_int4range      int4range,
  c_int8range      int8range,
  c_numrange       numrange,
  c_daterange      daterange,
  c_tsrange        tsrange,
  c_tstzrange      tstzrange,
  c_int4multirange int4multirange,
  c_datemultirange datemultirange,
  c_enum           continent,
  c_enum_arr       continent[],
  c_composite      postal_address,
  c_composite_arr  postal_address[],
  c_nested         stop,
  c_dom_int        positive_int,
  c_dom_text       short_code,
  c_inet           inet,
  c_cidr           cidr,
  c_macaddr        macaddr,
  c_macaddr8       macaddr8,
  c_bit            bit(5),
  c_varbit         bit varying(8),
  c_money          money,
  c_xml            xml,
  c_tsvector       tsvector,
  c_tsquery        tsquery,
  c_point          point,
  c_box            box,
  c_lseg           lseg,
  c_path           path,
  c_polygon        polygon,
  c_circle         circle,
  c_line           line,
  c_oid            oid,
  c_regclass       regclass,
  c_regtype        regtype,
  c_char1          "char"
);

-- names that need care
create table api."Ünïcode Täble" (
  "Größe"          int primary key,
  "名前"           text,
  "emoji 🎬"       text
);

create table api."odd.names" (
  "id"             int primary key,
  "with space"     text,
  "with.dot"       text,
  "with,comma"     text,
  "with:colon"     text,
  "with(paren)"    text,
  "with""quote"    text,
  "with'tick"      text,
  "with-dash"      text,
  "with%percent"   text,
  "with\back"      text,
  "UPPER"          text,
  "$dollar"        text,
  "1digit"         text,
  "trailing "      text,
  "a->b"           jsonb,
  "*"              text
);

create table api."order" (               -- reserved words
  "id"             int primary key,
  "select"         text,
  "order"          int,
  "limit"          int,
  "offset"         int,
  "and"            int,
  "or"             int,
  "not"            int,
  "columns"        text,
  "on_conflict"    text,
  "count"          int,
  "sum"            int,
  "eq"             text,
  "is"             text,
  "in"             text,
  "null"           text
);

create table api."order item" (
  "order id"       int references api."order" ("id"),
  "line no"        int,
  "what"           text,
  primary key ("order id", "line no")
);

-- ---------------------------------------------------------------------------
-- Row level security and column privileges
-- ---------------------------------------------------------------------------

create table api.secret_note (
  id           int primary key,
  owner        text not null default (current_setting('request.jwt.claims', true)::json ->> 'sub'),
  body         text,
  shared       boolean not null default false
);
alter table api.secret_note enable row level security;
create policy note_owner on api.secret_note
  using (owner = (current_setting('request.jwt.claims', true)::json ->> 'sub') or shared)
  with check (owner = (current_setting('request.jwt.claims', true)::json ->> 'sub'));

create table api.ballot (
  id           int primary key,
  juror        text not null,
  movie_id     int references api.movie (id),
  points       int
);
alter table api.ballot enable row level security;
create policy ballot_read  on api.ballot for select to web_user using (juror = (current_setting('request.jwt.claims', true)::json ->> 'sub'));
create policy ballot_cast  on api.ballot for insert to web_user with check (points between 0 and 10 and juror = (current_setting('request.jwt.claims', true)::json ->> 'sub'));
create policy ballot_edit  on api.ballot for all to web_editor using (true) with check (true);

create table api.staff (                 -- column level privileges
  id           int primary key,
  name         text not null,
  email        text,
  salary       numeric(10,2),
  boss_id      int references api.staff (id)
);

create table api.audit_log (             -- write only for the public
  id           int generated by default as identity primary key,
  what         text not null,
  who          text default current_user
);

create table api.hidden_from_all (id int primary key, secret text);

-- ---------------------------------------------------------------------------
-- Private tables and the views over them
-- ---------------------------------------------------------------------------

create table private.account (
  acc_id       int primary key,
  acc_name     text not null,
  acc_secret   text,
  acc_active   boolean not null default true
);
create table private.payment (
  pay_id       int primary key,
  acc_ref      int not null references private.account (acc_id),
  amount       numeric(10,2) not null,
  paid_on      date
);
create table private.sales (             -- source of aggregates
  id           int primary key,
  movie_id     int references api.movie (id),
  channel      text,
  qty          int,
  amount       numeric(10,2),
  sold_on      date
);

create view api.account as
  select acc_id as id, acc_name as name, acc_active as active from private.account;
create view api.payment as
  select pay_id as id, acc_ref as account_id, amount, paid_on from private.payment;
create view api.sales as select * from private.sales;

-- renamed columns, automatically updatable
create view api.movie_card as
  select id as movie_id, title as name, director_id as directed_by, country_code as origin, rating
    from api.movie;
comment on view api.movie_card is 'Movies under other names';
comment on column api.movie_card.name is 'The title';

-- a view over a view
create view api.movie_card_short as
  select movie_id, name from api.movie_card;

-- with check option
create view api.good_movie as
  select id, title, rating from api.movie where rating >= 7 with cascaded check option;

-- partly updatable: the second column is computed
create view api.customer_public as
  select id, handle, upper(handle) as shout, level from api.customer;

-- joined, keeps the keys of three tables
create view api.screening_board as
  select s.id as screening_id, s.starts_at, m.id as movie_id, m.title, v.id as venue_id, v.name as venue_name,
         s.movie_id as of_movie, s.venue_id as in_venue, s.hall_no as in_hall
    from api.screening s
    join api.movie m on m.id = s.movie_id
    join api.hall h on h.venue_id = s.venue_id and h.hall_no = s.hall_no
    join api.venue v on v.id = h.venue_id;

-- aggregates
create view api.movie_stats as
  select movie_id, count(*) as screenings, sum(seats_taken) as seats, round(avg(price), 2) as avg_price
    from api.screening group by movie_id;

-- the same key twice
create view api.double_key as
  select id as id_one, id as id_two, director_id as dir_one, director_id as dir_two, title from api.movie;

create view api.top_movie as
  select id, title, rating from api.movie order by rating desc nulls last, id limit 3;

create view api.all_names as
  select 'movie'::text as kind, id, title as name from api.movie
  union all
  select 'person', id, full_name from api.person;

create sequence api.counter_seq;
create view api.counter_view as select nextval('api.counter_seq') as n;
create view api.broken_view as select id, 1 / (id - id) as boom from api.genre;

create view api.my_notes with (security_invoker = true) as select id, owner, body from api.secret_note;
create view api.all_notes as select id, owner, body from api.secret_note;

create materialized view api.movie_totals as
  select m.id as movie_id, m.title, count(s.id) as screenings, coalesce(sum(s.seats_taken), 0) as seats
    from api.movie m left join api.screening s on s.movie_id = m.id
   group by m.id, m.title order by m.id;
comment on materialized view api.movie_totals is 'Totals, refreshed nightly';

-- INSTEAD OF triggers: everything works on the first, only inserts on the second
create view api.screening_desk as
  select s.id, s.movie_id, m.title, s.price, s.seats_taken
    from api.screening s join api.movie m on m.id = s.movie_id;
create function private.screening_desk_io() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into api.screening (id, movie_id, starts_at, price, seats_taken)
      values (new.id, new.movie_id, timestamptz '2030-01-01 00:00:00Z', coalesce(new.price, 0), coalesce(new.seats_taken, 0));
    select title into new.title from api.movie where id = new.movie_id;
    return new;
  elsif tg_op = 'UPDATE' then
    update api.screening set price = new.price, seats_taken = new.seats_taken where id = old.id;
    return new;
  else
    delete from api.screening where id = old.id;
    return old;
  end if;
end $$;
create trigger screening_desk_io instead of insert or update or delete on api.screening_desk
  for each row execute function private.screening_desk_io();

create view api.suggestion_box as
  select lower(movie.title) as title, count(*) as votes from api.movie group by 1;
create function private.suggestion_box_io() returns trigger language plpgsql as $$
begin
  insert into api.visit_log (at, path, note) values (timestamp '2024-01-01', '/suggest', new.title);
  return new;
end $$;
create trigger suggestion_box_io instead of insert on api.suggestion_box
  for each row execute function private.suggestion_box_io();

create view api.patch_only as select id, label, 1 as one from api.only_defaults group by id, label;
create function private.patch_only_io() returns trigger language plpgsql as $$
begin
  update api.only_defaults set label = new.label where id = old.id;
  return new;
end $$;
create trigger patch_only_io instead of update on api.patch_only
  for each row execute function private.patch_only_io();

create view api."odd view" as select "id" as "the id", "with space" as "sp ace", "with.dot" as "d.ot" from api."odd.names";

create view api."feed.any" as select id, name from api.genre;

-- ---------------------------------------------------------------------------
-- Triggers on tables
-- ---------------------------------------------------------------------------

create function private.reject_bad_task() returns trigger language plpgsql as $$
begin
  if new.name = 'forbidden' then
    raise exception 'task name is not allowed' using hint = 'pick another name', detail = 'got ' || new.name, errcode = 'P0001';
  elsif new.name = 'teapot' then
    raise sqlstate 'PT418' using message = 'I am a teapot', detail = 'short and stout';
  elsif new.name = 'skip' then
    return null;
  elsif new.name = 'header' then
    perform set_config('response.headers', '[{"X-Task": "seen"}]', true);
  elsif new.name = 'status' then
    perform set_config('response.status', '202', true);
  end if;
  return new;
end $$;
create trigger reject_bad_task before insert or update on api.task
  for each row execute function private.reject_bad_task();

-- ---------------------------------------------------------------------------
-- Computed fields
-- ---------------------------------------------------------------------------

create function api.label(api.movie) returns text stable language sql as
$$ select $1.title || ' (' || coalesce(extract(year from $1.released)::text, '????') || ')' $$;
create function api.is_long(api.movie) returns boolean immutable language sql as
$$ select $1.runtime_min > 100 $$;
create function api.tag_count(m api.movie) returns int immutable language sql as
$$ select cardinality(m.tags) $$;
create function api.facts_doc(api.movie) returns jsonb immutable language sql as
$$ select jsonb_build_object('t', $1.title, 'n', jsonb_build_object('r', $1.rating)) $$;
create function extras.slug(api.movie) returns text immutable language sql as
$$ select lower(regexp_replace($1.title, '[^A-Za-z0-9]+', '-', 'g')) $$;
create function api.initials(api.person) returns text immutable language sql as
$$ select string_agg(left(w, 1), '') from regexp_split_to_table($1.full_name, '\s+') as w $$;
create function api.price_with_tax(api.screening) returns numeric immutable language sql as
$$ select round($1.price * 1.21, 2) $$;
create function api.name_upper(api.account) returns text immutable language sql as
$$ select upper($1.name) $$;

-- ---------------------------------------------------------------------------
-- Computed relationships
-- ---------------------------------------------------------------------------

create function api.mentor(api.person) returns setof api.person rows 1 stable language sql as
$$ select * from api.person where id = $1.mentor_id $$;
create function api.proteges(api.person) returns setof api.person stable language sql as
$$ select * from api.person where mentor_id = $1.id $$;
create function api.parent(api.section) returns setof api.section rows 1 stable language sql as
$$ select * from api.section where id = $1.parent_id $$;
create function api.children(api.section) returns setof api.section stable language sql as
$$ select * from api.section where parent_id = $1.id $$;
create function api.previous(api.edition) returns setof api.edition rows 1 stable language sql as
$$ select * from api.edition where id = $1.previous_id $$;
create function api.next(api.edition) returns setof api.edition rows 1 stable language sql as
$$ select * from api.edition where previous_id = $1.id $$;
create function api.friends(api.customer) returns setof api.customer stable language sql as
$$ select c.* from api.customer c join api.friendship f on f.b = c.id where f.a = $1.id $$;
create function api.referrer(api.customer) returns setof api.customer rows 1 stable language sql as
$$ select * from api.customer where id = $1.referred_by $$;

-- view without keys made relatable
create function api.movie(api.all_names) returns setof api.movie rows 1 stable language sql as
$$ select * from api.movie where $1.kind = 'movie' and id = $1.id $$;
create function api.person(api.all_names) returns setof api.person rows 1 stable language sql as
$$ select * from api.person where $1.kind = 'person' and id = $1.id $$;

-- overrides the detected relationship: patrons stay anonymous
create function api.customer(api.ticket) returns setof api.customer rows 1 stable language sql as
$$ select * from api.customer where id = $1.customer_id and level <> 'patron' $$;
-- overrides a detected one to many: only the cheap ones
create function api.ticket(api.screening) returns setof api.ticket stable language sql as
$$ select * from api.ticket where screening_id = $1.id and paid < 10 $$;

-- to-one with a single-row (not set returning) function
create function api.best_screening(api.movie) returns api.screening stable language sql as
$$ select * from api.screening where movie_id = $1.id order by seats_taken desc, id limit 1 $$;
-- to-many between unrelated tables
create function api.same_country(api.movie) returns setof api.venue stable language sql as
$$ select * from api.venue where country_code = $1.country_code $$;
-- a "to-one" that lies and returns several rows
create function api.liar(api.genre) returns setof api.award rows 1 stable language sql as
$$ select * from api.award where id <= 2 $$;

-- ---------------------------------------------------------------------------
-- Functions: scalars
-- ---------------------------------------------------------------------------

create function api.add_two(a int, b int) returns int immutable language sql as $$ select a + b $$;
comment on function api.add_two(int, int) is $$Adds two numbers

Nothing more to say.$$;
create function api.greet(name text default 'stranger') returns text immutable language sql as $$ select 'Hello, ' || name $$;
create function api.mixed_args(a int, b text default 'b', c boolean default true) returns text immutable language sql as
$$ select format('%s/%s/%s', a, b, c) $$;
create function api.no_args() returns int immutable language sql as $$ select 42 $$;
create function api.ret_void() returns void immutable language sql as $$ select null::void $$;
create function api.vol_void() returns void volatile language sql as $$ select null::void $$;
create function api.ret_null() returns int immutable language sql as $$ select null::int $$;
create function api.ret_null_text() returns text immutable language sql as $$ select null::text $$;
create function api.ret_bool(v boolean) returns boolean immutable language sql as $$ select not v $$;
create function api.ret_date(d date) returns date immutable language sql as $$ select d + 1 $$;
create function api.ret_timestamptz(t timestamptz) returns timestamptz stable language sql as $$ select t $$;
create function api.ret_interval(v interval) returns interval immutable language sql as $$ select v * 2 $$;
create function api.ret_numeric(v numeric) returns numeric immutable language sql as $$ select v $$;
create function api.ret_double(v double precision) returns double precision immutable language sql as $$ select v $$;
create function api.ret_json(v json) returns json immutable language sql as $$ select v $$;
create function api.ret_jsonb(v jsonb) returns jsonb immutable language sql as $$ select v $$;
create function api.ret_json_null() returns json immutable language sql as $$ select 'null'::json $$;
create function api.ret_int_array(n int) returns int[] immutable language sql as $$ select array_agg(i order by i) from generate_series(1, n) i $$;
create function api.ret_text_array() returns text[] immutable language sql as $$ select array['a', null, 'c"d', 'e,f'] $$;
create function api.ret_enum(v continent) returns continent immutable language sql as $$ select v $$;
create function api.ret_range(lo int, hi int) returns int4range immutable language sql as $$ select int4range(lo, hi) $$;
create function api.ret_bytea() returns bytea immutable language sql as $$ select '\xdeadbeef'::bytea $$;
create function api.ret_uuid(v uuid) returns uuid immutable language sql as $$ select v $$;
create function api.ret_colour(v colour) returns colour immutable language sql as $$ select v $$;
create function api.ret_xml() returns xml immutable language sql as $$ select xmlparse(document '<r><a>1</a></r>') $$;
create function api."Odd Func!"("Odd Arg" text, "two,args" text default 'd') returns text immutable language sql as $$ select "Odd Arg" || '|' || "two,args" $$;
create function api."funçã🎬"(v int) returns int immutable language sql as $$ select v $$;
create function api.many_args(a int default 1, b int default 2, c int default 3, d int default 4, e int default 5) returns int[] immutable language sql as
$$ select array[a, b, c, d, e] $$;

-- argument types
create function api.take_array(arr int[]) returns int immutable language sql as $$ select coalesce(sum(x), 0)::int from unnest(arr) x $$;
create function api.take_text_array(arr text[]) returns text immutable language sql as $$ select array_to_string(arr, '|', '∅') $$;
create function api.take_array2(arr int[][]) returns text immutable language sql as $$ select array_dims(arr) $$;
create function api.take_char(c char(3), v varchar(3), b bit(4)) returns text immutable language sql as $$ select c || '/' || v || '/' || b::text $$;
create function api.take_composite(addr postal_address) returns text immutable language sql as $$ select (addr).city || ' ' || (addr).zip $$;
create function api.take_movie(m api.movie) returns text immutable language sql as $$ select m.title $$;
create function api.take_range(r daterange) returns text immutable language sql as $$ select lower(r)::text || ' ' || upper(r)::text $$;
create function api.take_dom(code short_code, n positive_int default 1) returns text immutable language sql as $$ select code || n $$;
create function api.take_json(doc json) returns text immutable language sql as $$ select json_typeof(doc) $$;
create function api.take_jsonb(doc jsonb, path text default 'a') returns jsonb immutable language sql as $$ select doc -> path $$;
create function api.variadic_sum(variadic nums int[]) returns int immutable language sql as $$ select coalesce(sum(x), 0)::int from unnest(nums) x $$;
create function api.variadic_join(sep text, variadic parts text[] default '{}') returns text immutable language sql as $$ select array_to_string(parts, sep) $$;

-- single unnamed parameter
create function api.raw_json(json) returns json immutable language sql as $$ select json_build_object('type', json_typeof($1), 'text', $1::text) $$;
create function api.raw_jsonb(jsonb) returns jsonb immutable language sql as $$ select jsonb_build_object('got', $1) $$;
create function api.raw_text(text) returns text immutable language sql as $$ select 'len ' || length($1) || ': ' || $1 $$;
create function api.raw_bytea(bytea) returns int immutable language sql as $$ select length($1) $$;
create function api.raw_xml(xml) returns text immutable language sql as $$ select (xpath('name(/*)', $1))[1]::text $$;
create function api.unnamed_int(int) returns int immutable language sql as $$ select $1 $$;
create function api.two_unnamed(int, int) returns int immutable language sql as $$ select $1 + $2 $$;
create function api.half_named(a int, int) returns int immutable language sql as $$ select $1 + $2 $$;

-- overloads
create function api.quote_price(movie int) returns text immutable language sql as $$ select 'one:' || movie $$;
create function api.quote_price(movie int, seats int) returns text immutable language sql as $$ select 'two:' || movie || '*' || seats $$;
create function api.quote_price(movie int, coupon text, extra text default '-') returns text immutable language sql as $$ select 'three:' || movie || coupon || extra $$;
create function api.ambi(v int) returns text immutable language sql as $$ select 'int ' || v $$;
create function api.ambi(v text) returns text immutable language sql as $$ select 'text ' || v $$;
create function api.take_any(json) returns text immutable language sql as $$ select 'unnamed json' $$;
create function api.take_any(a int) returns text immutable language sql as $$ select 'named a' $$;
create function api.take_any(a int, b int) returns text immutable language sql as $$ select 'named a b' $$;
create function api.take_raw(text) returns text immutable language sql as $$ select 'text' $$;
create function api.take_raw(bytea) returns text immutable language sql as $$ select 'bytea' $$;
create function api.take_raw(json) returns text immutable language sql as $$ select 'json' $$;
create function api.two_json(json) returns text immutable language sql as $$ select 'json' $$;
create function api.two_json(jsonb) returns text immutable language sql as $$ select 'jsonb' $$;
create function api.defaults_over(a int default 1) returns text immutable language sql as $$ select 'a' $$;
create function api.defaults_over(a int default 1, b int default 2) returns text immutable language sql as $$ select 'ab' $$;

-- ---------------------------------------------------------------------------
-- Functions: sets, composites, OUT parameters
-- ---------------------------------------------------------------------------

create function api.setof_int(n int default 3) returns setof int immutable language sql as $$ select i from generate_series(1, n) i $$;
create function api.setof_text() returns setof text immutable language sql as $$ select * from (values ('x'), (null), ('z')) v $$;
create function api.setof_json() returns setof json immutable language sql as $$ select json_build_object('i', i) from generate_series(1, 2) i $$;
create function api.setof_void() returns setof void immutable language sql as $$ select null::void $$;
create function api.ret_composite() returns postal_address immutable language sql as $$ select row('1 Main St', 'Oslo', '0150', 2)::api.postal_address $$;
create function api.ret_composite_null() returns postal_address immutable language sql as $$ select null::api.postal_address $$;
create function api.setof_composite() returns setof postal_address immutable language sql as
$$ values ('a', 'A', '1', 1), ('b', 'B', null, null) $$;
create function api.one_movie(movie_id int) returns api.movie stable language sql as $$ select * from api.movie where id = movie_id $$;
create function api.one_movie_plpgsql(movie_id int) returns api.movie stable language plpgsql as $$
declare r api.movie; begin select * into r from api.movie where id = movie_id; return r; end $$;
create function api.all_movies() returns setof api.movie stable language sql as $$ select * from api.movie $$;
create function api.movies_of_year(y int) returns setof api.movie stable language sql as $$ select * from api.movie where extract(year from released) = y $$;
create function api.movies_in(ids int[]) returns setof api.movie stable language sql as $$ select * from api.movie where id = any (ids) order by id $$;
create function api.one_movie_rows1(movie_id int) returns setof api.movie rows 1 stable language sql as $$ select * from api.movie where id = movie_id $$;
create function api.cards() returns setof api.movie_card stable language sql as $$ select * from api.movie_card $$;
create function api.big_set() returns setof api.measurement stable language sql as $$ select * from api.measurement $$;
create function api.ret_table(n int default 2) returns table (i int, sq int, word text) immutable language sql as $$ select i, i * i, 'w' || i from generate_series(1, n) i $$;
create function api.ret_table_one() returns table (only_one text) immutable language sql as $$ values ('p'), ('q') $$;
create function api.out_one(out total int) immutable language sql as $$ select 7 $$;
create function api.out_two(inp int, out dbl int, out trip int) immutable language sql as $$ select inp * 2, inp * 3 $$;
create function api.inout_one(inout v int) immutable language sql as $$ select v + 1 $$;
create function api.inout_two(inout a int, inout b text, out c boolean) immutable language sql as $$ select a + 1, b || '!', true $$;
create function api.setof_out(out a int, out b int) returns setof record immutable language sql as $$ values (1, 2), (3, 4) $$;
create function api.ret_record() returns record immutable language sql as $$ select 1 as a, 'x'::text as b $$;
create function api.setof_record() returns setof record immutable language sql as $$ select * from (values (1, 'x'), (2, 'y')) v(a, b) $$;
create function api.persons_of(movie_id int) returns setof api.person stable language sql as
$$ select p.* from api.person p join api.credit c on c.person_id = p.id where c.movie_id = persons_of.movie_id $$;

-- ---------------------------------------------------------------------------
-- Functions: side effects, request and response settings
-- ---------------------------------------------------------------------------

create function api.log_visit(path text, note text default null) returns void volatile language sql as
$$ insert into api.visit_log (at, path, note) values (timestamp '2024-05-05 05:05:05', path, note) $$;
create function api.add_genre(id int, name text) returns api.genre volatile language sql as
$$ insert into api.genre values (id, name) returning * $$;
create function api.retire_tasks(max_id int) returns setof api.task volatile language sql as
$$ delete from api.task where id <= max_id returning * $$;
create function api.sneaky_write() returns int stable language plpgsql as $$
begin insert into api.visit_log values (now(), 'x', 'y'); return 1; end $$;
create function api.next_count() returns bigint volatile language sql as $$ select nextval('api.counter_seq') $$;

create function api.req_info() returns json stable language sql as $$
  select json_build_object(
    'method',  current_setting('request.method', true),
    'path',    current_setting('request.path', true),
    'role',    current_user,
    'schema',  current_schema(),
    'x-probe', current_setting('request.headers', true)::json -> 'x-probe',
    'cookies', nullif(current_setting('request.cookies', true), '')::json,
    'claims',  nullif(current_setting('request.jwt.claims', true), '')::json)
$$;
create function api.req_headers() returns json volatile language sql as $$ select current_setting('request.headers', true)::json $$;
create function api.get_guc(name text) returns text stable language sql as $$ select current_setting(name, true) $$;
create function api.whoami() returns table (who text, session text) stable language sql as $$ select current_user::text, session_user::text $$;

create function api.set_resp(headers text default null, status text default null) returns json volatile language plpgsql as $$
begin
  if headers is not null then perform set_config('response.headers', headers, true); end if;
  if status  is not null then perform set_config('response.status', status, true); end if;
  return json_build_object('ok', true);
end $$;
create function api.set_resp_void(headers text default null, status text default null) returns void volatile language plpgsql as $$
begin
  if headers is not null then perform set_config('response.headers', headers, true); end if;
  if status  is not null then perform set_config('response.status', status, true); end if;
end $$;
create function api.set_resp_set(headers text default null, status text default null) returns setof api.genre volatile language plpgsql as $$
begin
  if headers is not null then perform set_config('response.headers', headers, true); end if;
  if status  is not null then perform set_config('response.status', status, true); end if;
  return query select * from api.genre where id <= 2 order by id;
end $$;

create function api.fail(msg text default 'it failed', code text default 'P0001', det text default null, hnt text default null) returns void
volatile language plpgsql as $$
begin
  if det is null and hnt is null then
    raise exception using message = msg, errcode = code;
  elsif hnt is null then
    raise exception using message = msg, errcode = code, detail = det;
  elsif det is null then
    raise exception using message = msg, errcode = code, hint = hnt;
  else
    raise exception using message = msg, errcode = code, detail = det, hint = hnt;
  end if;
end $$;
create function api.fail_plain() returns void volatile language plpgsql as $$ begin raise 'plain failure'; end $$;
create function api.fail_stable(code text) returns text stable language plpgsql as $$ begin raise exception using message = 'failing', errcode = code; end $$;
create function api.divide(a int, b int) returns int immutable language sql as $$ select a / b $$;
create function api.recurse(n int) returns int volatile language plpgsql as $$ begin return api.recurse(n + 1); end $$;
create function api.two_rows_scalar() returns int stable language plpgsql as $$ begin return (select id from api.genre); end $$;
create function api.needs_table() returns int volatile language plpgsql as $$ begin return (select 1 from no_such_table); end $$;
create function api.needs_func() returns int volatile language plpgsql as $$ begin return no_such_function(1); end $$;
create function api.notice_only() returns text volatile language plpgsql as $$ begin raise notice 'just so you know'; raise warning 'careful'; return 'done'; end $$;
create function api.assert_false() returns void volatile language plpgsql as $$ begin assert false, 'assertion text'; end $$;

create function api.nap(secs double precision) returns text volatile language sql as $$ select 'slept' from pg_sleep(secs) $$;
create function api.nap_short(secs double precision) returns text volatile language sql set statement_timeout = '300ms' as $$ select 'slept' from pg_sleep(secs) $$;
create function api.nap_long(secs double precision) returns text volatile language sql set statement_timeout = '5s' as $$ select 'slept' from pg_sleep(secs) $$;
create function api.iso_level() returns text volatile language sql as $$ select current_setting('transaction_isolation') $$;
create function api.iso_serializable() returns text volatile language sql set default_transaction_isolation = 'serializable' as $$ select current_setting('transaction_isolation') $$;
create function api.iso_repeatable() returns text volatile language sql set default_transaction_isolation = 'repeatable read' as $$ select current_setting('transaction_isolation') $$;
create function api.with_work_mem() returns text stable language sql set work_mem = '1234kB' as $$ select current_setting('work_mem') $$;
create function api.tx_read_only() returns text volatile language sql as $$ select current_setting('transaction_read_only') $$;
create function api.tx_read_only_stable() returns text stable language sql as $$ select current_setting('transaction_read_only') $$;

create function api.definer_count() returns bigint stable security definer language sql as $$ select count(*) from private.account $$;
create function api.invoker_count() returns bigint stable language sql as $$ select count(*) from private.account $$;
create function api.editors_only() returns text stable language sql as $$ select 'for editors' $$;

create function api.trig() returns trigger language plpgsql as $$ begin return new; end $$;
create procedure api.a_procedure() language sql as $$ select 1 $$;
create aggregate api.longest(text) (sfunc = textcat, stype = text);
create function api.win_like(anyelement) returns anyelement immutable language sql as $$ select $1 $$;
create function api.poly(v anyelement) returns text immutable language sql as $$ select v::text $$;

-- ---------------------------------------------------------------------------
-- Media type handlers
-- ---------------------------------------------------------------------------

create function api.genre_html_trans(state text, next api.genre) returns api."text/html" immutable language sql as
$$ select (state || '<li>' || next.id || ' ' || next.name || '</li>')::api."text/html" $$;
create function api.genre_html_final(data api."text/html") returns api."text/html" immutable language sql as
$$ select ('<ul>' || data || '</ul>')::api."text/html" $$;
create aggregate api.genre_html (api.genre) (initcond = '', stype = api."text/html", sfunc = api.genre_html_trans, finalfunc = api.genre_html_final);

create function api.lines_trans(state text, next anyelement) returns api."application/vnd.aurora.lines" immutable language sql as
$$ select (state || row_to_json(next)::text || E'\n')::api."application/vnd.aurora.lines" $$;
create aggregate api.lines_agg (anyelement) (initcond = '', stype = api."application/vnd.aurora.lines", sfunc = api.lines_trans);

create function api.price_csv_trans(state text, next api.price_list) returns api."text/csv" immutable language sql as
$$ select (state || next.id || ';' || next.item || ';' || next.price || E'\r\n')::api."text/csv" $$;
create function api.price_csv_final(data api."text/csv") returns api."text/csv" volatile language sql as
$$ select set_config('response.headers', '[{"Content-Disposition": "attachment; filename=\"prices.csv\""}]', true);
   select (E'id;item;price\r\n' || data)::api."text/csv" $$;
create aggregate api.price_csv (api.price_list) (initcond = '', stype = api."text/csv", sfunc = api.price_csv_trans, finalfunc = api.price_csv_final);

create function api.attachment_trans(state bytea, next api.attachment) returns api."application/vnd.aurora.bin" immutable language sql as
$$ select (state || coalesce(next.data, ''))::api."application/vnd.aurora.bin" $$;
create aggregate api.attachment_bin (api.attachment) (initcond = '', stype = api."application/vnd.aurora.bin", sfunc = api.attachment_trans);

create function api.any_trans(state api."*/*", next api."feed.any") returns api."*/*" immutable language sql as
$$ select (coalesce(state, '') || convert_to(next.name || E'\n', 'UTF8'))::api."*/*" $$;
create function api.any_final(data api."*/*") returns api."*/*" volatile language plpgsql as $$
declare acc text := current_setting('request.headers', true)::json ->> 'accept';
begin
  if acc = 'application/x-names' then
    perform set_config('response.headers', '[{"Content-Type": "application/x-names"}]', true);
  elsif acc = 'image/png' then
    raise sqlstate 'PT415' using message = 'Names cannot be drawn';
  end if;
  return data;
end $$;
create aggregate api.any_agg (api."feed.any") (stype = api."*/*", sfunc = api.any_trans, finalfunc = api.any_final);

create function api.page(title text default 'Aurora') returns api."text/html" immutable language sql as
$$ select ('<h1>' || title || '</h1>')::api."text/html" $$;
create function api.plain(word text default 'plain words') returns api."text/plain" immutable language sql as $$ select word::api."text/plain" $$;
create function api.xml_doc() returns api."text/xml" immutable language sql as $$ select '<doc><a b="c">ü</a></doc>'::api."text/xml" $$;
create function api.drawing(radius int default 4) returns api."image/svg+xml" immutable language sql as
$$ select format('<svg><circle r="%s"/></svg>', radius)::api."image/svg+xml" $$;
create function api.poster_bytes(movie int) returns api."application/octet-stream" stable language sql as
$$ select image::api."application/octet-stream" from api.poster where movie_id = movie $$;
create function api.own_json() returns api."application/vnd.aurora.doc+json" immutable language sql as
$$ select '{"own": [1, 2.50]}'::api."application/vnd.aurora.doc+json" $$;
create function api.any_bytes(kind text default null) returns api."*/*" volatile language plpgsql as $$
begin
  if kind is not null then
    perform set_config('response.headers', json_build_array(json_build_object('Content-Type', kind))::text, true);
  end if;
  return convert_to('any bytes', 'UTF8')::api."*/*";
end $$;
create function api.setof_html() returns setof api."text/html" immutable language sql as $$ values ('<p>1</p>'::api."text/html"), ('<p>2</p>') $$;
create function api.genres_table() returns setof api.genre stable language sql as $$ select * from api.genre order by id $$;
create function api.login_cookie() returns void volatile language plpgsql as $$
begin
  perform set_config('response.headers', '[{"Set-Cookie": "sid=1; Path=/"}, {"Set-Cookie": "theme=dark"}, {"Cache-Control": "no-store"}]', true);
end $$;

-- ---------------------------------------------------------------------------
-- Root document, pre-request and pre-config
-- ---------------------------------------------------------------------------

create function api.root_doc() returns json stable language sql as
$$ select json_build_object('swagger', '2.0', 'info', json_build_object('title', 'Own root', 'for', current_user)) $$;
create function api.root_html() returns api."text/html" immutable language sql as $$ select '<h1>root</h1>'::api."text/html" $$;

create function ops.before_request() returns void volatile language plpgsql as $$
declare h json := current_setting('request.headers', true)::json;
begin
  if h ->> 'x-block' = 'yes' then
    raise sqlstate 'PT429' using message = 'Too many requests', hint = 'wait a little';
  elsif h ->> 'x-block' = 'deny' then
    raise insufficient_privilege using message = 'blocked by policy';
  elsif h ->> 'x-block' = 'pgrst' then
    raise sqlstate 'PGRST' using message = '{"code":"BLOCKED","message":"stopped at the door","hint":"knock"}',
                                 detail = '{"status":403,"headers":{"X-Door":"closed"}}';
  end if;
  if h ->> 'x-act-as' is not null then
    execute format('set local role %I', h ->> 'x-act-as');
  end if;
  if h ->> 'x-headers' is not null then
    perform set_config('response.headers', h ->> 'x-headers', true);
  end if;
  if h ->> 'x-status' is not null then
    perform set_config('response.status', h ->> 'x-status', true);
  end if;
  perform set_config('festival.seen', coalesce(h ->> 'x-probe', 'none'), true);
end $$;

create function ops.configure() returns void volatile language sql as $$
  select set_config('pgrst.db_schemas', 'api_v2, api', true),
         set_config('pgrst.db_max_rows', '3', true),
         set_config('pgrst.db_aggregates_enabled', 'true', true),
         set_config('pgrst.jwt_secret', 'configured-in-the-database-0123456789', true);
$$;

-- ---------------------------------------------------------------------------
-- Second exposed schema, and one whose name needs quoting
-- ---------------------------------------------------------------------------

create table api_v2.playlist (
  id           int primary key,
  name         text not null
);
create table api_v2.playlist_item (
  playlist_id  int references api_v2.playlist (id),
  movie_id     int references api.movie (id),
  pos          int,
  primary key (playlist_id, movie_id)
);
create view api_v2.movie as select id, title, rating from api.movie;
create function api_v2.version() returns text immutable language sql as $$ select 'v2' $$;
create function api_v2.greet(name text default 'v2 stranger') returns text immutable language sql as $$ select 'Hi, ' || name $$;
create function api_v2.playlist_of(movie int) returns setof api_v2.playlist stable language sql as
$$ select p.* from api_v2.playlist p join api_v2.playlist_item i on i.playlist_id = p.id where i.movie_id = movie $$;

create table "Archive Room"."Film Reels" ("Reel No" int primary key, "Label" text);
create table api_v2.hidden_v2 (id int primary key);

-- only in the extra search path: never an endpoint
create table extras.lookup (k text primary key, v text);
create function extras.helper() returns text immutable language sql as $$ select 'helped' $$;
create view api.uses_extras as select k, v, extras.helper() as h from extras.lookup;
create function api.calls_helper() returns text stable language plpgsql as $$ begin return helper(); end $$;

-- ---------------------------------------------------------------------------
-- Privileges
-- ---------------------------------------------------------------------------

grant select on all tables in schema api, api_v2, "Archive Room" to web_anon, web_user, web_editor, web_admin, web_slow, web_iso, "Web-Guest.Ω";
grant select on extras.lookup to web_anon, web_user, web_editor, web_admin, web_slow, web_iso, "Web-Guest.Ω";
grant insert, update, delete on all tables in schema api, api_v2, "Archive Room" to web_anon, web_user, web_editor, web_admin;
grant usage on all sequences in schema api, api_v2 to web_anon, web_user, web_editor, web_admin;

-- take some back
revoke all on api.hidden_from_all, api.staff, api.ballot, api.audit_log, api.secret_note, api.my_notes, api.all_notes from
  web_anon, web_user, web_editor, web_admin, web_slow, web_iso, "Web-Guest.Ω";
revoke all on api_v2.hidden_v2 from web_anon, web_user, web_editor, web_admin, web_slow, web_iso, "Web-Guest.Ω";
revoke insert, update, delete on api.award, api.edition from web_anon;
revoke delete on api.country from web_anon, web_user;

grant select (id, name), insert (id, name), update (name) on api.staff to web_anon;
grant select, insert, update, delete on api.staff to web_editor, web_admin;
grant insert on api.audit_log to web_anon, web_user;
grant select on api.audit_log to web_editor, web_admin;
grant select, insert, update, delete on api.secret_note, api.my_notes, api.all_notes to web_user, web_editor, web_admin;
grant select on api.secret_note to web_anon;
grant select, insert, update, delete on api.ballot to web_user, web_editor, web_admin;

revoke execute on function api.editors_only() from public;
grant execute on function api.editors_only() to web_editor, web_admin;

reset role;
reset search_path;
