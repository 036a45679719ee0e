insert into bench.item
select n, 'SKU-' || lpad(n::text, 8, '0'), 'Item number ' || n || ' of the long bench in the workshop', (n * 37 % 100000) / 100.0,
       n * 7 % 500, n * 1.25 / 3, n % 3 <> 0, array['tag' || n % 17, 'tag' || n % 23, 'tag' || n % 29],
       timestamptz '2024-01-01 00:00+00' + n * interval '97 seconds',
       jsonb_build_object('colour', (array['red', 'green', 'blue', 'grey'])[1 + n % 4], 'size', n % 12, 'origin', 'warehouse ' || n % 40)
from generate_series(1, 100000) n;
