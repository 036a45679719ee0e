-- One table of ordinary columns, as wide and as long as the mixes need: a row is about 300 bytes
-- of JSON, so that 100 rows make a page and 5,000 rows 1.5 MB.

create role authenticator login noinherit;
create role anon nologin;
grant anon to authenticator;

create schema bench;
grant usage on schema bench to anon;

create table bench.item (
  id       int primary key,
  sku      text not null unique,
  name     text not null,
  price    numeric(10, 2) not null,
  stock    int not null,
  weight   double precision not null,
  active   boolean not null,
  tags     text[] not null,
  created  timestamptz not null,
  details  jsonb not null
);
grant select on bench.item to anon;
