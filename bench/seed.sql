insert into bench.item
select n, 'SKU-' || lpad(n::text, 8, '0'), 'Item number ' || n || ' of the long bench in the workshop', (n * 37 % 100000) / 100.0,
       n * 7 % 500, n * 1.25 / 3, n % 3 <> 0, array['tag' || n % 17, 'tag' || n % 23, 'tag' || n % 29],
       timestamptz '2024-01-01 00:00+00' + n * interval '97 seconds',
       jsonb_build_object('colour', (array['red', 'green', 'blue', 'grey'])[1 + n % 4], 'size', n % 12, 'origin', 'warehouse ' || n % 40)
from generate_series(1, 100000) n;

insert into bench.customer
select n, 'Customer ' || n, 'customer' || n || '@example.org', date '2020-01-01' + n % 1500
from generate_series(1, 10000) n;

insert into bench.purchase
select n, 1 + (n - 1) / 5, timestamptz '2025-01-01 00:00+00' + n * interval '61 seconds', (array['open', 'paid', 'sent', 'done'])[1 + n % 4],
       (n * 41 % 50000) / 100.0
from generate_series(1, 50000) n;

insert into bench.line
select p, 1 + (p * 7 + k * 31) % 100000, 1 + (p + k) % 9, (p * 37 % 10000) / 100.0
from generate_series(1, 50000) p, generate_series(1, 3) k;

insert into bench.category
select n, 'Category ' || n
from generate_series(1, 200) n;

insert into bench.item_category
select n, 1 + (n + k * 53) % 200
from generate_series(1, 100000) n, generate_series(1, 3) k;

insert into bench.account
select n, 'Owner ' || n, n
from generate_series(1, 20000) n;
