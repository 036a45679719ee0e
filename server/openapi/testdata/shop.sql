-- A schema like those in the wild: nothing in it that OpenAPI has no way to say.
create schema shop;
create type shop.size as enum ('small', 'medium', 'large');
create domain shop.email as text check (value like '%@%');

create table shop.customer (
  id int primary key generated always as identity,
  email shop.email not null unique,
  name varchar(80) not null default 'nobody',
  joined timestamptz not null default '2020-01-01 00:00:00+00',
  active boolean not null default true,
  prefs jsonb,
  tags text[]
);
comment on table shop.customer is E'Who buys\n\nOne row for each of them.';
comment on column shop.customer.name is 'As on the envelope';

create table shop.product (
  id bigint primary key,
  name text not null,
  size shop.size not null default 'medium',
  price numeric(10,2) not null default 9.50,
  weight real
);

create table shop.purchase (
  id int primary key,
  customer_id int not null references shop.customer,
  product_id bigint not null references shop.product,
  amount smallint not null default 1,
  day date
);

create view shop.stock as select product_id, count(*) as sold from shop.purchase group by product_id;

create function shop.total(customer_id int, since date default null) returns numeric stable language sql as 'select 1.0';
comment on function shop.total is E'Sum of all purchases\nNothing is zero.';
create function shop.tagged(variadic tags text[]) returns setof shop.customer stable language sql as 'select * from shop.customer';
create function shop.restock() returns void language sql as '';
create function shop.import(rows json, sizes shop.size[]) returns int language sql as 'select 1';
