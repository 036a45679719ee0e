-- A database without findings. x_ stands for a prefix that is different in each test.
create role x_login login noinherit;
create role x_anon;
create role x_user;
grant x_anon, x_user to x_login;
alter role x_anon set statement_timeout = '3s';
create schema api;
create schema ops;
grant usage on schema api, ops to x_anon, x_user;
revoke create on schema public from public;

create table api.author (id int generated always as identity primary key, name text not null);
create table api.book (
  id int generated always as identity primary key,
  author_id int not null references api.author,
  owner text not null,
  title text not null
);
create index on api.book (author_id, title);
create table ops.note (id serial primary key, book_id int references api.book);
alter table api.author enable row level security;
alter table api.book enable row level security;
create policy everyone_reads on api.author for select to x_anon, x_user using (true);
create policy own on api.book to x_user
  using (owner = (select current_setting('request.jwt.claims', true)::json ->> 'sub'))
  with check (owner = (select current_setting('request.jwt.claims', true)::json ->> 'sub'));
grant select on api.author to x_anon, x_user;
grant select, insert, update, delete on api.book to x_user;

create view api.title as select id, title from api.book;
alter view api.title owner to x_user;
grant select on api.title to x_user;

create function api.whoami() returns name stable language sql as 'select current_user';
create function api.touched() returns trigger language plpgsql as 'begin return new; end';
create function ops.before() returns void language sql as 'select';
create function api.secure() returns int security definer set search_path = api, pg_temp language sql as 'select 1';
revoke execute on all functions in schema api, ops from public;
grant execute on function api.touched() to public;
grant execute on function api.whoami(), ops.before() to x_anon, x_user;
