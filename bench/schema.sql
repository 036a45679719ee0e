-- The tables of the mixes, with ordinary columns. A row of item is about 300 bytes of JSON, so 100 rows are a page of
-- 30 kB and 5,000 rows are 1.5 MB.

create role authenticator login noinherit;
create role anon nologin;
create role member nologin;
grant anon, member to authenticator;

create schema bench;
grant usage on schema bench to anon, member;

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

-- For embedding: customers, their purchases, the lines of purchases, and the categories of items.

create table bench.customer (
  id     int primary key,
  name   text not null,
  email  text not null,
  since  date not null
);

create table bench.purchase (
  id           int primary key,
  customer_id  int not null references bench.customer,
  placed       timestamptz not null,
  status       text not null,
  total        numeric(10, 2) not null
);
create index on bench.purchase (customer_id);

create table bench.line (
  purchase_id  int references bench.purchase,
  item_id      int references bench.item,
  quantity     int not null,
  price        numeric(10, 2) not null,
  primary key (purchase_id, item_id)
);

create table bench.category (
  id    int primary key,
  name  text not null
);

create table bench.item_category (
  item_id      int references bench.item,
  category_id  int references bench.category,
  primary key (item_id, category_id)
);

-- For writes.

create table bench.reading (
  id       bigint generated always as identity primary key,
  device   int not null,
  taken    timestamptz not null,
  celsius  numeric(6, 2) not null,
  note     text
);

create table bench.account (
  id       int primary key,
  owner    text not null,
  balance  numeric(12, 2) not null
);

grant select on all tables in schema bench to anon, member;
grant insert on bench.reading to anon;
grant update on bench.account to anon;

-- For calls.

create function bench.discounted(price numeric, percent numeric) returns numeric
  language sql immutable as 'select round(price * (100 - percent) / 100, 2)';

create function bench.items_from(first int) returns setof bench.item
  language sql stable as 'select * from bench.item where id >= first order by id limit 60';
