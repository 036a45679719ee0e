-- Invented data, the same at every start. Rows come from generate_series; what varies is drawn
-- by hashing the row's number with a salt per purpose.

set search_path = bookshop;
-- The rows refer to each other correctly by construction, so skip the foreign keys' triggers.
set session_replication_role = replica;

create function private.roll(n bigint, salt bigint, sides int) returns int language sql immutable as
$$ select ((hashint8extended(n, salt) & 2147483647) % sides)::int $$;
create function private.pick(list text[], n bigint, salt bigint) returns text language sql immutable as
$$ select list[1 + ((hashint8extended(n, salt) & 2147483647) % cardinality(list))::int] $$;
-- The last digit of an ISBN weighs the twelve before it 1, 3, 1, 3 ...
create function private.isbn(n bigint) returns text language sql immutable as
$$
  select '978-' || lpad(n::text, 9, '0') || (10 - (38 + sum(d * case when i % 2 = 1 then 3 else 1 end)) % 10) % 10
  from (select i, substr(lpad(n::text, 9, '0'), i, 1)::int as d from generate_series(1, 9) i) digits
$$;

insert into genre (id, slug, name, parent_id) values
  (1, 'fiction', 'Fiction', null), (2, 'non-fiction', 'Non-fiction', null), (3, 'young-readers', 'Young readers', null),
  (4, 'crime', 'Crime', 1), (5, 'science-fiction', 'Science fiction', 1), (6, 'fantasy', 'Fantasy', 1),
  (7, 'historical', 'Historical novels', 1), (8, 'romance', 'Romance', 1), (9, 'short-stories', 'Short stories', 1),
  (10, 'poetry', 'Poetry', 1), (11, 'sea-stories', 'Sea stories', 7), (12, 'space-opera', 'Space opera', 5),
  (13, 'cosy-crime', 'Cosy crime', 4), (14, 'noir', 'Noir', 4), (15, 'history', 'History', 2), (16, 'biography', 'Biography', 2),
  (17, 'travel', 'Travel', 2), (18, 'nature', 'Nature', 2), (19, 'cooking', 'Cooking', 2), (20, 'science', 'Science', 2),
  (21, 'computing', 'Computing', 20), (22, 'astronomy', 'Astronomy', 20), (23, 'birds', 'Birds', 18),
  (24, 'baking', 'Baking', 19), (25, 'picture-books', 'Picture books', 3), (26, 'school-stories', 'School stories', 3);

insert into branch (id, name, city, opened, hours)
select n, 'Lantern ' || name, city, date '1998-03-01' + n::int * 211,
       jsonb_build_object('weekdays', '09:00-19:00', 'saturday', '09:00-18:00', 'sunday', case when n % 3 = 0 then '11:00-16:00' end)
from unnest(array['Harbour', 'Old Town', 'Station', 'University', 'Market Hall', 'Riverside', 'Castle Hill', 'Docklands',
                  'Northgate', 'Botanic', 'Opera', 'Lighthouse'],
            array['Bristol', 'Edinburgh', 'Leeds', 'Cambridge', 'Norwich', 'York', 'Durham', 'Cardiff',
                  'Chester', 'Oxford', 'Brighton', 'Aberdeen']) with ordinality as b (name, city, n);

insert into publisher (id, name, city, founded, parent_id)
select n, first || ' ' || second, private.pick(array['London', 'Edinburgh', 'New York', 'Dublin', 'Toronto', 'Sydney', 'Berlin', 'Paris'], n, 1),
       1780 + private.roll(n, 2, 240), case when n > 40 and n % 3 = 0 then 1 + private.roll(n, 3, 40) end
from (select row_number() over (order by private.roll(a * 100 + b, 4, 1000000)) as n, first, second
      from unnest(array['Heron', 'Blackthorn', 'Meridian', 'Quill', 'Larkspur', 'Old Ferry', 'Kestrel', 'Saltmarsh', 'Beacon', 'Copper Lane',
                        'Ninth Wave', 'Juniper', 'Three Bells', 'Windmill', 'Ashgrove', 'Tern']) with ordinality f (first, a),
           unnest(array['Press', 'Books', '& Sons', 'House', 'Editions', 'Publishing', 'Library', 'Papers', 'Classics', 'Originals',
                        'Juvenile', 'Academic', 'Travel', 'Poetry', 'Arts']) with ordinality s (second, b)) names;

-- 61 first and 83 last names: numbers below 61 * 83 give different pairs.
create function private.first_names() returns text[] language sql immutable as $$ select array[
  'Ada', 'Agnes', 'Akira', 'Alma', 'Amara', 'Anton', 'Astrid', 'Beatriz', 'Boris', 'Callum', 'Camille', 'Carmen', 'Chidi', 'Clara', 'Dario',
  'Dorothea', 'Edith', 'Eleni', 'Elif', 'Emil', 'Esther', 'Farid', 'Fiona', 'Georg', 'Greta', 'Hamza', 'Hana', 'Henrik', 'Imani', 'Ingrid',
  'Isaac', 'Jolanta', 'Jonas', 'Josephine', 'Kamal', 'Katya', 'Lars', 'Leila', 'Lucien', 'Magnus', 'Mairead', 'Marta', 'Mateo', 'Naomi', 'Nikolai',
  'Noor', 'Oskar', 'Paloma', 'Pavel', 'Priya', 'Rafael', 'Ronja', 'Rosa', 'Samira', 'Sofia', 'Tadeusz', 'Theo', 'Ursula', 'Viktor', 'Yusuf', 'Zoe'] $$;
create function private.last_names() returns text[] language sql immutable as $$ select array[
  'Abbott', 'Achebe', 'Adler', 'Almeida', 'Andersen', 'Aoki', 'Barlow', 'Becker', 'Bellini', 'Bergman', 'Blake', 'Brandt', 'Byrne', 'Calder',
  'Carvalho', 'Castellano', 'Chandra', 'Cohen', 'Costa', 'Dahl', 'Delacroix', 'Demir', 'Doyle', 'Duarte', 'Eriksen', 'Farrow', 'Ferreira', 'Fisher',
  'Fontaine', 'Fraser', 'Garnett', 'Greene', 'Haas', 'Hartley', 'Haruno', 'Hollis', 'Horvath', 'Ibrahim', 'Ivanova', 'Janssen', 'Kane', 'Keller',
  'Kimura', 'Kovac', 'Lambert', 'Larsen', 'Leclerc', 'Lindqvist', 'Lowell', 'Maalouf', 'Marchetti', 'Marsh', 'Mendez', 'Moreau', 'Nakamura', 'Novak',
  'Obi', 'Okafor', 'Olsen', 'Orlov', 'Papadakis', 'Pereira', 'Quinn', 'Rahman', 'Ramos', 'Reyes', 'Rossi', 'Sandoval', 'Schreiber', 'Sinclair',
  'Sorensen', 'Szabo', 'Tanaka', 'Thorne', 'Tremblay', 'Vargas', 'Vogel', 'Walsh', 'Weiss', 'Winter', 'Yamada', 'Yildiz', 'Zeller'] $$;

insert into author (id, first_name, last_name, born, country, languages, awards)
select n, f[1 + k % 61], l[1 + k % 83], date '1921-01-07' + private.roll(n, 10, 29000),
       private.pick(array['GB', 'US', 'IE', 'FR', 'DE', 'JP', 'NG', 'BR', 'TR', 'NO', 'PL', 'IN'], n, 11),
       case when n % 4 = 0 then array['en', private.pick(array['fr', 'de', 'ja', 'pt', 'tr', 'pl', 'hi'], n, 12)] else '{en}' end,
       case when n % 9 = 0
         then jsonb_build_array(jsonb_build_object('name', private.pick(array['Silver Quill', 'Harbour Prize', 'Lantern Medal'], n, 13), 'year', 1990 + private.roll(n, 14, 35)))
         else '[]' end
from (select n, (n * 2347) % 5063 as k, private.first_names() as f, private.last_names() as l from generate_series(1, 4000) n) a;

insert into author_page (author_id, portrait, quote)
select id, 'https://images.example.org/authors/' || id || '.jpg',
       private.pick(array['A book is a door that opens from both sides.', 'I write to find out what happens next.', 'Every map leaves something out.',
                          'Silence is the longest sentence.', 'My desk faces the wall on purpose.'], id, 20)
from author where id % 5 = 0;

with words as materialized (
  select array['Silent', 'Hidden', 'Crimson', 'Last', 'Broken', 'Winter', 'Golden', 'Forgotten', 'Distant', 'Paper', 'Glass', 'Salt', 'Quiet', 'Burning',
               'Second', 'Hollow', 'Northern', 'Midnight', 'Borrowed', 'Endless'] as adjective,
         array['Lighthouse', 'Garden', 'River', 'Letter', 'Orchard', 'Clockmaker', 'Harbour', 'Mountain', 'Library', 'Mirror', 'Island', 'Train', 'Kitchen',
               'Cathedral', 'Astronomer', 'Winter', 'Bridge', 'Forest', 'Sea', 'House', 'Piano', 'Comet', 'Archive', 'Fox'] as noun,
         array['Lisbon', 'Istanbul', 'the Hebrides', 'Kyoto', 'Trieste', 'the Arctic', 'Havana', 'Prague', 'Lagos', 'Cornwall', 'Patagonia', 'Tbilisi'] as place,
         array['cartographer', 'baker', 'detective', 'violinist', 'botanist', 'sea cook', 'night nurse', 'translator', 'lighthouse keeper',
               'schoolteacher', 'smuggler', 'astronomer'] as somebody,
         array['inherits a house full of letters', 'misses the last train', 'finds a map with one street too many', 'is accused of a theft',
               'opens a bakery against all advice', 'answers the wrong telephone', 'hears music from an empty room', 'sets out to count the birds of an island',
               'learns to sail', 'falls for a rival'] as does,
         array['nothing in the town is as quiet as it looks', 'the sea keeps its own accounts', 'an old friendship has to bear new weight',
               'somebody has been there before', 'every recipe leaves something out', 'the past answers by return of post', 'winter comes early'] as until,
         array['debut', 'series', 'award', 'translated', 'illustrated', 'signed', 'staff-pick', 'classic', 'maps', 'recipes'] as tag
)
insert into book (id, title, subtitle, author_id, translator_id, publisher_id, published, pages, blurb, tags, details)
select n,
       case private.roll(n, 30, 7)
         when 0 then 'The ' || a || ' ' || b
         when 1 then 'The ' || b || ' of ' || p
         when 2 then a || ' ' || b
         when 3 then 'A ' || b || ' in ' || p
         when 4 then 'The ' || b || ' and the ' || initcap(private.pick(w.somebody, n, 37))
         when 5 then 'Letters from ' || p
         else 'What the ' || b || ' Knew' end,
       case when n % 6 = 0 then 'A novel' when n % 11 = 0 then 'Stories' when n % 13 = 0 then 'Essays from ' || p end,
       1 + private.roll(n, 31, 4000), case when n % 8 = 0 then 1 + private.roll(n, 32, 4000) end, 1 + private.roll(n, 33, 240),
       date '1950-01-01' + private.roll(n, 34, 27750), 48 + private.roll(n, 35, 800),
       'A ' || private.pick(w.somebody, n, 38) || ' ' || private.pick(w.does, n, 39) || ' in ' || p || ', and ' || private.pick(w.until, n, 40)
         || '. A ' || lower(a) || ' story of a ' || lower(b) || ' and those who guard it.',
       array(select distinct private.pick(w.tag, n * 4 + i, 41) from generate_series(0, private.roll(n, 42, 4)) i order by 1),
       jsonb_build_object('binding', private.pick(array['sewn', 'glued'], n, 43), 'ribbon', n % 5 = 0,
                          'size', jsonb_build_object('width_mm', 105 + private.roll(n, 44, 60), 'height_mm', 170 + private.roll(n, 45, 90)))
from generate_series(1, 20000) n, words w,
     lateral (select private.pick(w.adjective, n, 46) as a, private.pick(w.noun, n, 47) as b, private.pick(w.place, n, 48) as p) chosen;

insert into book_genre (book_id, genre_id)
select distinct n, 4 + private.roll(n * 3 + i, 50, 23) from generate_series(1, 20000) n, generate_series(0, 1) i;

insert into edition (book_id, number, format, isbn, price, weight_g, in_print)
select b.id, e, (array['hardcover', 'paperback', 'pocket', 'audio', 'ebook']::book_format[])[1 + (b.id + e * 2) % 5],
       private.isbn(100000000 + b.id * 4 + e), 4.49 + private.roll(b.id * 4 + e, 60, 3200) / 100.0,
       case when (b.id + e * 2) % 5 < 3 then 120 + b.pages end,
       daterange(b.published + (e - 1) * 400, case when private.roll(b.id * 4 + e, 61, 3) = 0 then b.published + e * 400 + 900 end)
from book b, generate_series(1, 2) e
where e = 1 or b.id % 4 <> 0;

insert into stock (branch_id, book_id, edition_number, copies)
select br, e.book_id, e.number, private.roll(e.book_id * 30::bigint + e.number * 13 + br, 70, 12)
from edition e, generate_series(1, 12) br
where private.roll(e.book_id * 30::bigint + e.number * 13 + br, 71, 6) = 0;

insert into event (id, branch_id, author_id, title, during, seats)
select n, 1 + private.roll(n, 80, 12), 1 + private.roll(n, 81, 4000),
       private.pick(array['Reading and questions', 'Book launch', 'Signing', 'In conversation', 'Writing workshop', 'Children''s hour'], n, 82),
       tstzrange(start, start + interval '30 minutes' * (2 + private.roll(n, 83, 4))), 20 + private.roll(n, 84, 9) * 10
from (select n, timestamptz '2025-01-03 18:00+00' + n * interval '11 hours' as start from generate_series(1, 1500) n) e;

insert into customer (id, name, email, joined, newsletter, address)
select n, f || ' ' || l, lower(f || '.' || l) || n || '@example.org', timestamptz '2015-01-01 08:00+00' + private.roll(n, 92, 340000000) * interval '1 second',
       n % 3 = 0,
       jsonb_build_object('street', 1 + private.roll(n, 93, 180) || ' ' || private.pick(array['Mill Lane', 'High Street', 'Quay Road', 'Church Walk', 'Elm Grove'], n, 94),
                          'city', private.pick(array['Bristol', 'Leeds', 'York', 'Oxford', 'Cardiff', 'Norwich'], n, 95))
from (select n, private.pick(private.first_names(), n, 90) as f, private.pick(private.last_names(), n, 91) as l from generate_series(1, 10000) n) c;

insert into purchase (id, customer_id, branch_id, placed, status)
select md5('purchase ' || n)::uuid, 1 + private.roll(n, 100, 10000), case when n % 4 <> 0 then 1 + private.roll(n, 101, 12) end,
       timestamptz '2023-01-02 09:00+00' + n * interval '52 minutes 17 seconds',
       (array['delivered', 'delivered', 'delivered', 'sent', 'paid', 'placed', 'returned']::purchase_status[])[1 + private.roll(n, 102, 7)]
from generate_series(1, 30000) n;

insert into purchase_line (purchase_id, line, book_id, edition_number, copies, unit_price)
select md5('purchase ' || n)::uuid, i, e.book_id, e.number, 1 + private.roll(n * 5 + i, 111, 3) / 2, e.price
from generate_series(1, 30000) n, lateral generate_series(1, 1 + private.roll(n, 110, 3)) i,
     -- Squaring a draw makes some books sell much better than others.
     lateral (select 1 + (private.roll(n * 5 + i, 112, 20000)::bigint * private.roll(n * 5 + i, 113, 20000) / 20000)::int as book) b,
     lateral (select * from edition where book_id = b.book and number = 1) e;

insert into review (book_id, customer_id, rating, headline, body, written)
select distinct on (book, customer) book, customer, rating,
       (array['Not for me', 'Uneven', 'Good company', 'Hard to put down', 'A marvel'])[rating]
         || private.pick(array['', ' from the first page', ', with reservations', ' on a long journey', ' for rainy days'], n, 123),
       case when n % 3 <> 0 then private.pick(array['The ending surprised me.', 'I gave a copy to my sister.', 'Slow in the middle, but stay with it.',
         'The characters feel like neighbours.', 'Read it in two evenings.', 'The maps alone are worth the price.'], n, 124) end,
       timestamptz '2023-01-05 10:00+00' + n * interval '31 minutes 7 seconds'
from (select n, 1 + (private.roll(n, 120, 20000)::bigint * private.roll(n, 125, 20000) / 20000)::int as book, 1 + private.roll(n, 121, 10000) as customer,
             greatest(1, 5 - private.roll(n, 122, 9) / 2) as rating
      from generate_series(1, 50000) n) r;

do $$
declare
  t text;
begin
  foreach t in array '{genre,publisher,author,book,branch,event,customer,review}'::text[] loop
    execute format('select setval(pg_get_serial_sequence(%L, %L), (select max(id) from bookshop.%I))', 'bookshop.' || t, 'id', t);
  end loop;
end
$$;

drop function private.roll, private.pick, private.isbn, private.first_names, private.last_names;
reset session_replication_role;

create index book_search on book using gin (search);
create index on book using gin (tags);
refresh materialized view bestseller;
create unique index on bestseller (book_id);
