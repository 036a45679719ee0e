-- A database with everything that one database can have wrong. x_ stands for a prefix.
create role x_login login inherit bypassrls createrole createdb replication connection limit 5;
create role x_anon;
create role x_user bypassrls createrole;
create role x_boss superuser;
create role x_owner superuser;
grant x_anon, x_user, x_boss, pg_read_all_data to x_login;
alter role x_user set log_statement = 'all';
alter role x_user set lock_timeout = '1s';

create schema api;
create schema "Odd schema";
create schema unused;
create schema ops;
grant usage on schema api, "Odd schema" to x_anon, x_user;
grant create on schema api to public;
grant create on schema "Odd schema" to x_anon;

create table api.author (id int primary key, name text not null);
create table api.book (
  id serial primary key,
  author_id int not null references api.author,
  title text not null,
  owner text not null
);
create table api.log (at timestamptz, what text);
create table api.code (code text not null unique, what text);
create table "Odd schema"."Odd table" ("Odd id" int primary key, "Odd author" int references api.author);
create table ops.hidden (id int primary key, author_id int constraint hidden_author references api.author);
grant select on api.author to x_anon;
grant select (title) on api.book to x_anon;
grant insert on api.book, api.log, api.code to x_user;
grant select, delete on "Odd schema"."Odd table" to x_anon;
create view api.shown as select * from ops.hidden;

create function ops.uid() returns int language sql as 'select 1';
alter table ops.hidden enable row level security;
create policy own on ops.hidden using (id = current_setting('app.id')::int);
create policy "Odd policy" on ops.hidden for update to x_anon
  using (author_id in (select a.id from api.author a where a.name = (current_setting('request.jwt.claims', true)::json ->> 'it''s')))
  with check (id = ops.uid());
grant select on ops.hidden to x_anon;
grant select on api.shown to x_anon;

create function api.add(a int, b int) returns int language sql as 'select a + b';
create function api.secret() returns int security definer language sql as 'select 1';
