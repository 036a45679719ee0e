-- Fixture data; loaded after schema.sql by the same superuser.
set client_min_messages = error;
set timezone = 'UTC';
set role festival_owner;
set search_path = api, extras;

insert into api.country (code, name, region, population, area_km2, colours, facts) values
  ('GB', 'United Kingdom', 'europe',        67330000,  243610.00, '{red,white,blue}', '{"capital": "London", "langs": ["en"], "drives": "left"}'),
  ('ES', 'España',         'europe',        47420000,  505990.00, '{red,yellow}',     '{"capital": "Madrid", "langs": ["es", "ca", "eu", "gl"]}'),
  ('JP', 'Japan',          'asia',         125700000,  377975.24, '{white,red}',      '{"capital": "Tokyo", "langs": ["ja"], "islands": 6852}'),
  ('GH', 'Ghana',          'africa',        32830000,  238535.00, '{red,gold,green,black}', '{"capital": "Accra", "langs": ["en"]}'),
  ('MA', 'Morocco',        'africa',        37080000,  446550.00, null,               null),
  ('SE', 'Sweden',         'europe',        10420000,  450295.10, '{blue,yellow}',    '{"capital": "Stockholm", "langs": ["sv"], "eu": true}'),
  ('AR', 'Argentina',      'south america', 45810000, 2780400.00, '{sky,white,gold}', '{"capital": "Buenos Aires", "langs": ["es"]}'),
  ('AQ', 'Antarctica',     null,            null,     14200000.50, '{}',              '{}');

insert into api.person (id, full_name, born, country_code, email, mentor_id, bio) values
  (1, 'Ada Quill',            '1961-03-14', 'GB', 'Ada.Quill@example.org', null, 'Director of slow, luminous dramas about the sea.'),
  (2, 'Bruno Castell',        '1974-11-02', 'ES', 'bruno@example.org',     1,    'Produces comedies. Occasionally directs them.'),
  (3, 'Chiyo Mori',           '1980-07-21', 'JP', 'chiyo@example.jp',      1,    null),
  (4, 'Dmitri Volkov',        null,         null, null,                    null, 'Stunt coordinator.'),
  (5, 'Esi Mensah',           '1988-01-30', 'GH', 'esi@example.org',       2,    'Documentary maker from Accra.'),
  (6, 'Farid Haddad',         '1969-09-09', 'MA', 'farid@example.org',     2,    ''),
  (7, 'Greta Lindqvist',      '1991-12-24', 'SE', 'greta@example.se',      3,    'Writes and directs "cold" films, often with 100% natural light.'),
  (8, 'Hugo Álvarez',         '1955-05-05', 'AR', 'HUGO@example.org',      5,    'Veterano del cine porteño.'),
  (9, 'Iris O''Dell',         '1999-02-28', 'GB', 'iris@example.org',      null, 'Actor'),
  (10, 'Jo "JJ" Smith, Jr.',  '1985-06-15', 'GB', 'jj@example.org',        9,    E'Line one\nLine two\tTabbed'),
  (11, '李 明',               '1977-08-08', null, 'li.ming@example.org',   null, '导演'),
  (12, 'Zed',                 null,         null, null,                    null, null);

insert into api.movie (id, title, released, runtime_min, rating, budget, director_id, producer_id, country_code, tags, meta, synopsis) values
  (1,  'The Salt Lantern',            '2019-05-17', 104, 7.8, 1250000.00, 1,    2,    'GB', '{sea,drama,night}',  '{"format": "35mm", "reels": 5, "color": true, "ratings": {"press": 81, "public": 7.5}, "shooting": [{"city": "Lisbon", "days": 12}, {"city": "Faro", "days": 3}]}', 'A lighthouse keeper writes letters to the sea and waits for the ships to answer.'),
  (2,  'Paper Moons',                 '2021-09-03',  95, 6.5,  800000.50, 2,    1,    'ES', '{comedy,family}',    '{"format": "digital", "color": true, "ratings": {"press": 60, "public": 7.0}, "shooting": []}', 'Two brothers fold a thousand paper moons to win a bet.'),
  (3,  'Kites over Accra',            '2020-02-14',  88, 8.2,   95000.00, 5,    6,    'GH', '{documentary,city}', '{"format": "digital", "reels": null, "color": true, "ratings": {"press": 92}, "shooting": [{"city": "Accra", "days": 40}]}', 'Children race home-made kites above the roofs of the city.'),
  (4,  'Night Ferry',                 '2018-11-23', 121, 7.1, 2300000.00, 3,    null, 'JP', '{sea,thriller,night}', '{"format": "35mm", "reels": 6, "color": false, "ratings": {"press": 74, "public": 8.25}}', 'A ferry crosses the strait at night with one passenger too many.'),
  (5,  'Zero Kelvin Summer',          '2022-06-30', 112, null, 610000.00, 7,    2,    'SE', '{drama}',            '{"format": "16mm", "reels": 4, "color": true}', 'Absolute zero is reached during the warmest summer of the century.'),
  (6,  'Ärger im Paradies',           '2017-08-11',  99, 5.9,  450000.00, 7,    7,    'SE', '{comedy,"two words"}', null, 'Trouble in paradise, in four acts.'),
  (7,  'The Clockmaker''s Daughter',  '2016-03-04', 134, 8.9, 3100000.00, 1,    5,    'GB', '{drama,period}',     '{"format": "70mm", "reels": 8, "ratings": {"press": 95, "public": 9.1}, "shooting": [{"city": "Bath", "days": 60}]}', 'She repairs every clock in town except her own.'),
  (8,  '100% Organic',                '2023-04-01',  72, 4.4,   15000.00, 8,    8,    'AR', '{}',                 '[]', 'A farm, a camera_man and a very stubborn goat.'),
  (9,  'Comma, Period. (Colon: Paren)', '2015-01-01', 61, 5.0, null,      10,   null, 'GB', '{experimental,"a,b","c{d}"}', '"just a string"', null),
  (10, 'Untitled "Quotes" \ Backslash', null,      null, 3.3,       0.00, null, 4,    null, '{experimental}',     '{"a b": {"c.d": 1}, "0": "zero", "-1": "minus", "arr": [[1, 2], [3, 4]]}', ''),
  (11, 'silent reel',                 '1908-01-01',  11, null,     10.25, null, null, null, '{silent,null}',      '{"format": "nitrate", "color": false, "reels": 1}', 'A train, presumably.'),
  (12, 'La Última Función',           '2023-10-20', 118, 7.1, 1999999.99, 8,    8,    'AR', '{drama,night}',      '{"format": "digital", "color": true, "ratings": {"press": 74, "public": 7.1}, "shooting": [{"city": "Rosario", "days": 21}, {"city": "Salta", "days": 9}]}', 'The last screening of an old cinema, and the city that forgot it.');

insert into api.movie_detail values
  (1, 'Arriflex 435', 'Stereo', 1.85), (2, 'Alexa Mini', 'Surround 5.1', 2.39), (3, 'FS7', null, 1.78),
  (4, 'Panaflex', 'Mono', 1.33), (7, 'System 65', 'Surround 7.1', 2.20);

insert into api.poster values
  (101, 1, 'Lantern one-sheet', '\x89504e470d0a'), (102, 3, 'Kites', '\x00ff00'), (103, 7, 'Clock', null), (104, null, 'Orphan poster', '\x');

insert into api.genre values (1, 'Drama'), (2, 'Comedy'), (3, 'Documentary'), (4, 'Thriller'), (5, 'Experimental'), (6, 'Western');
insert into api.movie_genre values (1,1),(2,2),(3,3),(4,4),(4,1),(5,1),(6,2),(7,1),(8,2),(8,3),(9,5),(10,5),(12,1);

insert into api.credit (movie_id, person_id, job, billing, character) values
  (1, 9,  'actor',  1, 'The Keeper''s Wife'), (1, 10, 'actor', 2, 'Postman'), (1, 4, 'stunts', 9, null),
  (2, 9,  'actor',  1, 'Luna'), (2, 10, 'actor', 2, 'Brother A'), (2, 11, 'actor', 3, 'Brother B'),
  (3, 5,  'camera', 1, null),
  (4, 11, 'actor',  1, 'Passenger'), (4, 3, 'writer', 1, null), (4, 4, 'stunts', 5, null),
  (7, 9,  'actor',  1, 'The Daughter'), (7, 1, 'writer', 1, null),
  (8, 8,  'actor',  1, 'The Goat'), (8, 8, 'camera', 2, null),
  (12, 10, 'actor', 1, 'Projectionist');

insert into api.venue (id, name, country_code, opened, location, address, amenities, score, website) values
  (1, 'Grand Aurora',   'GB', '1934-10-01', '(51.5,-0.12)', '("1 Strand","London","WC2R",0)',      '{bar,cloakroom,"wheel chair"}', 4.50, 'https://aurora.example/grand'),
  (2, 'Cine Luz',       'ES', '1961-06-24', '(40.4,-3.7)',  '("Gran Via 12","Madrid","28013",)',   '{bar}',  3.75, null),
  (3, 'Hikari',         'JP', '2003-03-03', '(35.68,139.69)', null,                                '{}',     4.90, 'https://hikari.example'),
  (4, 'Kino Norr',      'SE', null,         null,           '("Norra gatan 5","Luleå","972 31",2)', null,    null, null),
  (5, 'Teatro Ópera',   'AR', '1872-05-25', '(-34.6,-58.38)', '("Corrientes 860","Buenos Aires",,)', '{bar,museum}', 4.10, null),
  (6, 'The Shed',       null, '2022-02-02', null,           null,                                  '{outdoor,bar}', 2.00, '');

insert into api.hall values
  (1, 1, 'Red',   320), (1, 2, 'Blue', 120), (1, 3, 'Attic', 28),
  (2, 1, 'Uno',   200), (2, 2, 'Dos',  80),
  (3, 1, '光',     90), (5, 1, 'Platea', 500), (5, 2, null, null);

insert into api.screening (id, movie_id, venue_id, hall_no, starts_at, price, seats_taken) values
  (1,  1,  1, 1, '2024-03-01 18:00:00+00', 12.50, 300),
  (2,  1,  1, 2, '2024-03-02 20:30:00+00', 12.50, 77),
  (3,  2,  2, 1, '2024-03-01 17:00:00+01',  9.00, 150),
  (4,  3,  1, 3, '2024-03-03 11:15:00+00',  7.25, 28),
  (5,  4,  3, 1, '2024-03-04 19:00:00+09', 15.00, 90),
  (6,  4,  1, 1, '2024-03-05 21:00:00+00', 11.00, 12),
  (7,  5,  2, 2, '2024-03-06 22:45:00+01',  8.50, 40),
  (8,  7,  1, 1, '2024-03-07 18:00:00+00', 14.00, 320),
  (9,  7,  5, 1, '2024-03-08 20:00:00-03', 10.00, 451),
  (10, 8,  5, 2, '2024-03-08 23:59:59.123456-03', 3.00, 0),
  (11, 12, 5, 1, '2024-03-09 20:00:00-03', 10.00, 500),
  (12, 12, null, null, '2024-03-10 12:00:00+00', 0.00, 0);

insert into api.customer (id, handle, level, joined, prefs, referred_by) values
  ('00000000-0000-4000-8000-000000000001', 'anna',    'patron', '2020-01-05', '{"lang": "en", "seats": ["A1", "A2"], "news": true}', null),
  ('00000000-0000-4000-8000-000000000002', 'bartek',  'member', '2021-02-06', '{"lang": "pl", "news": false}', '00000000-0000-4000-8000-000000000001'),
  ('00000000-0000-4000-8000-000000000003', 'cleo',    'guest',  '2022-03-07', null,                              '00000000-0000-4000-8000-000000000001'),
  ('00000000-0000-4000-8000-000000000004', 'dorian',  'guest',  null,         '{}',                              '00000000-0000-4000-8000-000000000002'),
  ('00000000-0000-4000-8000-000000000005', 'eve_100%','member', '2023-05-09', '{"lang": "sv"}',                  null),
  ('00000000-0000-4000-8000-000000000006', 'ÉMILE',   'patron', '2019-12-31', '{"lang": "fr", "news": null}',    null);

insert into api.ticket (screening_id, customer_id, seat, paid, bought_at) values
  (1, '00000000-0000-4000-8000-000000000001', 'A1', 12.50, '2024-02-01 10:00:00'),
  (1, '00000000-0000-4000-8000-000000000002', 'A2', 10.00, '2024-02-01 10:05:00'),
  (1, '00000000-0000-4000-8000-000000000003', 'B7', 12.50, '2024-02-02 09:30:00.5'),
  (2, '00000000-0000-4000-8000-000000000001', 'C3', 12.50, '2024-02-03 12:00:00'),
  (3, '00000000-0000-4000-8000-000000000004', 'A1',  9.00, '2024-02-04 15:45:00'),
  (3, '00000000-0000-4000-8000-000000000005', 'A2',  4.50, '2024-02-05 15:45:00'),
  (4, '00000000-0000-4000-8000-000000000002', 'Z9',  7.25, '2024-02-06 08:00:00'),
  (5, '00000000-0000-4000-8000-000000000005', 'K4', 15.00, null),
  (6, null,                                   'D1', 11.00, '2024-02-08 20:20:20'),
  (8, '00000000-0000-4000-8000-000000000001', 'A1', 14.00, '2024-02-09 11:11:11'),
  (8, '00000000-0000-4000-8000-000000000006', 'A2', 14.00, '2024-02-09 11:11:12'),
  (11,'00000000-0000-4000-8000-000000000004', null,  0.00, '2024-02-10 00:00:00');

insert into api.favorite values
  ('00000000-0000-4000-8000-000000000001', 1, 5), ('00000000-0000-4000-8000-000000000001', 7, 5),
  ('00000000-0000-4000-8000-000000000002', 1, 3), ('00000000-0000-4000-8000-000000000003', 4, null);
insert into api.watchlist values
  ('00000000-0000-4000-8000-000000000001', 12, '2024-01-01'), ('00000000-0000-4000-8000-000000000002', 4, '2024-01-02'),
  ('00000000-0000-4000-8000-000000000002', 5, null);
insert into api.friendship values
  ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', 2021),
  ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000003', 2022),
  ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 2021);

insert into api.edition values
  (1, 'First light',  '[2021-03-01,2021-03-08)', null), (2, 'Second wind', '[2022-03-01,2022-03-10)', 1),
  (3, 'Third time',   '[2023-03-05,2023-03-12]', 2),    (4, 'Fourth wall', null, 3);
insert into api.award values (1, 'Golden Lamp', 50000.00), (2, 'Silver Lamp', 20000.50), (3, 'Audience', null);
insert into api.nomination values
  (1, 1, 1, true), (1, 2, 4, false), (1, 1, 7, false), (2, 1, 2, false), (2, 2, 3, true), (2, 3, 3, null), (3, 1, 12, true), (3, 3, 8, false);

insert into api.section values
  (1, 'Programme', null, 10), (2, 'Competition', 1, 20), (3, 'Panorama', 1, 15), (4, 'Shorts', 2, 5), (5, 'Retrospective', 1, null), (6, 'Market', null, 1);

insert into api.team values (1, 'Ushers', null), (2, 'Projection', null), (3, 'Ghosts', null);
insert into api.member values (1, 'Uma', 1), (2, 'Ulf', 1), (3, 'Pia', 2), (4, 'Nobody', null);
update api.team set captain_id = 1 where id = 1;
update api.team set captain_id = 3 where id = 2;

insert into api.shipment values (1, 'Reels of Night Ferry', 1, 3), (2, 'Projector lamp', 2, 1), (3, 'Popcorn', null, 2), (4, 'Lost box', 3, null);

insert into api.review (id, movie_id, author, lang, stars, body, extra) values
  (1, 1, 'Le Phare',   'french',  4, 'Une lanterne amusante et des vagues impressionnantes', '{"source": "print", "keywords": "sea lantern"}'),
  (2, 1, 'The Beacon', 'english', 5, 'The best film about waiting; the waits are wonderful', '{"source": "web", "keywords": "waiting ships"}'),
  (3, 2, 'The Beacon', 'english', 2, 'Folding paper is not a plot. It is impossible to laugh', '{"source": "web"}'),
  (4, 4, 'Nattposten', 'swedish', 4, 'En mörk färja, en mörkare natt', null),
  (5, 7, 'Le Phare',   'french',  5, 'Les horloges sont impossibles et le film est magnifique', '{"source": "print"}'),
  (6, 8, 'Farmers Weekly', 'english', 1, 'The goat''s acting was the only organic thing', '["not", "an", "object"]'),
  (7, null, null, null, null, null, null);
update api.review set body_tsv = to_tsvector(lang::regconfig, body) where lang is not null;

insert into api.sponsor values
  ('ACME', 'Acme Lamps', 1999, 10000.00, 'We glow'), ('BULB', 'Bulb & Sons', 2010, 2500.50, 'Brighter'),
  ('CAN-1', 'Can One', default, null, null), ('D2', 'Delta Two', null, 0.00, 'Ask, "why?"');
insert into api.sponsor_deal values ('ACME', 1, 5000.00), ('ACME', 2, 5500.00), ('BULB', 2, null);

insert into api.visit_log values
  ('2024-01-01 00:00:01', '/', 'first'), ('2024-01-01 00:00:02', '/movies', null), ('2024-01-01 00:00:02', '/movies', null),
  ('2024-01-03 12:00:00', '/venues?x=1&y=2', 'query');

insert into api.season values
  (1, 'Winter', '[2023-12-01,2024-03-01)', '[1,10]',  '[5.00,9.99]'),
  (2, 'Spring', '[2024-03-01,2024-06-01)', '[11,20]', '(9.99,15.50)'),
  (3, 'Summer', '[2024-06-01,2024-09-01)', '[5,15)',  '[20,)'),
  (4, 'Autumn', '[2024-09-01,)',           'empty',   '(,5)'),
  (5, 'Unknown', null,                     null,      null);

insert into api.booking values (1, 'Red', '[10,12)'), (2, 'Red', '[14,16)'), (3, 'Blue', '[10,12)');

insert into api.dossier (id, doc, raw, "Odd Doc") values
  (1, '{"name": "alpha", "n": 10, "ok": true, "list": [1, 2, 3], "deep": {"er": {"est": "gold"}}, "objs": [{"k": "a", "v": 1}, {"k": "b", "v": 2}], "null": null}',
      '{"b": 1, "a": 2, "b": 3,   "spaced"  :  [1,  2]}', '{"with space": 1, "with.dot": 2, "with-dash": 3, "with>gt": 4, "Ünï": 5, "it''s": 6, "q\"uote": 7, "10": "ten"}'),
  (2, '{"name": "beta", "n": 9, "ok": false, "list": [], "deep": {"er": {}}, "objs": []}', '[1, 2.50, "three", null, {"x": 1e3}]', '{}'),
  (3, '{"name": "gamma", "n": 2.50, "list": [10, 20], "deep": null, "objs": [{"k": "a", "v": 100}]}', '"a string"', null),
  (4, '[{"name": "in array"}, [1, [2, 3]], "str", 4]', '12345678901234567890.123450', '[0, 1]'),
  (5, '"scalar"', 'null', null),
  (6, null, null, null);

insert into api.task (id, name, qty, unit_price, stamp, flags, note) values
  (1, 'hang posters', 3, 1.10, '2024-01-02', '{new,urgent}', 'north wall'), (2, 'sweep', 1, 0.00, '2024-01-03', '{}', null),
  (3, 'count lamps', null, 2.50, null, null, null), (4, 'print tickets', 1000, 0.05, '2024-02-29', '{done}', 'done'),
  (5, 'order popcorn', 20, 3.333, '2024-03-01', '{new}', '');

insert into api.locked_id (label) values ('one'), ('two');
insert into api.only_defaults (id, label) values (1, 'first'), (2, null);
do $$ begin perform setval(pg_get_serial_sequence('api.only_defaults', 'id'), 1000); end $$;
insert into api.single_col values ('alpha'), ('beta');
insert into api.strict_row values (1, 'aa', 10, 1, 'yes'), (2, 'bb', 20, 2, 'yes');
insert into api.deferred_pair values (1, 2), (2, 1);

insert into api.palette (id, name, shade, accent, length, ticket, shades) values
  (1, 'dusk',  1193046, 16711680, 125, 1001, '{1,2}'), (2, 'dawn', 16777215, null, 59, 1002, '{}'),
  (3, 'night', 0, 255, null, null, null), (4, 'fog', null, 8421504, 0, 77, '{255,65280}');
insert into api.swatch values (1, 1, 170), (2, 1, 43520), (3, 2, null), (4, null, 11184810);

insert into api.box_office
  select d::date, m, (m * 1000 + extract(doy from d)) * 1.25
    from generate_series(date '2023-12-30', date '2024-01-03', '1 day') d, unnest(array[1, 3, 7]) m
   order by 1, 2;
insert into api.box_office values ('2019-05-20', 1, 99999.90), ('2031-01-01', 7, 0.01);

insert into api.asset values (1, 'Ticket booth'), (2, 'Red carpet');
insert into api.asset_print values (11, 'Salt Lantern print', 5), (12, 'Night Ferry print', 6);
insert into api.asset_projector values (21, 'Old Bertha', 4000);

insert into api.measurement
  select i, 'st-' || (i % 7), timestamp '2024-01-01' + i * interval '13 minutes',
         round((sin(i) * 100)::numeric, 4)::float8, i % 10, case when i % 5 = 0 then 'note ' || i end
    from generate_series(1, 2000) i;

insert into api.price_list values (1, 'Popcorn', 4.50), (2, 'Tea; with milk', 3.00), (3, '"Quoted" gum', 0.99);
insert into api.attachment values (1, 'a.bin', '\x0001feff'), (2, 'b.bin', null), (3, 'c.bin', '\x61620a');

insert into api."Ünïcode Täble" values (1, '映画', '🍿'), (2, 'naïve café', null), (3, 'ﷺ', 'e\u0301');
insert into api."odd.names" values
  (1, 's1', 'd1', 'c1', 'n1', 'p1', 'q1', 't1', 'h1', 'r1', 'b1', 'U1', '$1', 'g1', 'l1', '{"x": {"y->z": 1}}', 'star1'),
  (2, 'a b', 'a.b', 'a,b', 'a:b', 'a(b)', 'a"b', 'a''b', 'a-b', 'a%b', 'a\b', 'AB', '$', '1', 'a ', '[1]', '*'),
  (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
insert into api."order" values
  (1, 'sel one', 1, 10, 0, 1, 0, 1, 'cols', 'oc', 100, 7, 'equals', 'is it', 'in', 'null'),
  (2, 'sel two', 2, 20, 5, 0, 1, 0, null, null, 200, 8, 'eq.1', 'null', 'in.(1)', null);
insert into api."order item" values (1, 1, 'first'), (1, 2, 'second'), (2, 1, 'only');

insert into api.secret_note values
  (1, 'anna', 'Anna''s private note', false), (2, 'anna', 'Anna shares this', true), (3, 'bartek', 'Bartek only', false), (4, 'cleo', 'Cleo shares', true);
insert into api.ballot values (1, 'anna', 1, 9), (2, 'anna', 2, 4), (3, 'bartek', 1, 7);
insert into api.staff values (1, 'Nora', 'nora@aurora.example', 5200.00, null), (2, 'Omar', 'omar@aurora.example', 4100.50, 1);
insert into api.audit_log (what, who) values ('opened', 'system'), ('closed', 'system');
insert into api.hidden_from_all values (1, 'nobody sees this');

insert into private.account values (1, 'House', 's3cret', true), (2, 'Guest tab', null, true), (3, 'Closed', 'x', false);
insert into private.payment values (1, 1, 100.00, '2024-01-10'), (2, 1, 50.25, '2024-01-11'), (3, 2, 9.99, null);
insert into private.sales values
  (1, 1, 'web', 2, 25.00, '2024-01-01'), (2, 1, 'door', 1, 12.50, '2024-01-01'), (3, 1, 'web', 4, 50.00, '2024-01-02'),
  (4, 2, 'web', 3, 27.00, '2024-01-02'), (5, 3, 'door', 1, 7.25, '2024-01-03'), (6, 3, null, null, null, '2024-01-03'),
  (7, null, 'web', 10, 100.10, null), (8, 7, 'door', 5, 70.00, '2024-01-04'), (9, 7, 'web', 2, 28.00, '2024-01-04');

insert into api_v2.playlist values (1, 'Rainy day'), (2, 'Empty list');
insert into api_v2.playlist_item values (1, 1, 1), (1, 4, 2);
insert into "Archive Room"."Film Reels" values (1, 'Reel "A"'), (2, 'Reel B');
insert into extras.lookup values ('k1', 'v1'), ('k2', 'v2');

insert into api.type_zoo values (
  1, 7, 42, 9007199254740993, 12.3400, 1.500, 1.25, 3.141592653589793, true, 'plain text', 'varchar', 'abc', 'CiText', 'a_name',
  '11111111-2222-4333-8444-555555555555', '2024-02-29', '13:45:30', '13:45:30+02', '2024-02-29 13:45:30.123456', '2024-02-29 13:45:30.5+00',
  '1 year 2 mons 3 days 04:05:06.789', '\x00ff10', '{"z": 1, "a": [1, 2.0,  null], "z": 2}', '{"z": 1, "a": [1, 2.0, null]}',
  '{1,2,3}', '{a,"b c","d,e",null,"","NULL","q\"uote","back\\slash"}', '{{1,2},{3,4}}', '{t,f,null}', '{1.0,2.50,NaN}', array['{"a":1}', '[2]', 'null']::jsonb[],
  '{11111111-2222-4333-8444-555555555555}', '{"2024-01-01 00:00:00+00"}',
  '[1,10)', '[1,10]', '(1.5,2.50]', '[2024-01-01,2024-01-31]', '[2024-01-01 00:00,2024-01-02 12:30)', '[2024-01-01 00:00+00,)',
  '{[1,3),[5,8)}', '{[2024-01-01,2024-01-05),[2024-02-01,2024-02-02)}', 'europe', '{asia,"north america"}',
  '("1 Main St","Oslo","0150",2)', array['("a","A","1",1)', '(,,,)']::api.postal_address[], row('Cabin', 3, row('Lake 1', 'Ås', '1430', null)::api.postal_address)::api.stop,
  5, 'AB-1', '192.168.0.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'10110', B'101', '1234.50', '<a x="1">t &amp; u</a>',
  'a:1 fat:2 cat:3A', 'fat & (cat | rat:AB)', '(1.5,-2)', '(3,4),(1,2)', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '((0,0),(1,1),(1,0))', '<(1,2),3>', '{1,-1,0}',
  12345, 'api.movie', 'integer', 'x');
insert into api.type_zoo (id) values (2);
insert into api.type_zoo values (
  3, 32767, 2147483647, 9223372036854775807, 'NaN', 9999999.999, 'Infinity', 'Infinity', false, '', '', '', '', '',
  'ffffffff-ffff-ffff-ffff-ffffffffffff', 'infinity', '24:00:00', '23:59:59.999999-15:59', 'infinity', 'infinity',
  '178000000 years', '\x', '[]', '{}',
  '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
  'empty', '(,)', '[,5]', 'empty', '(,)', 'empty',
  '{}', '{(,)}', 'africa', '{}',
  '(,,,)', '{}', row(null, null, null)::api.stop,
  2147483647, 'Z', '::1', '::/0', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', B'11111', B'', '92233720368547758.07', '',
  '', '', '(Infinity,NaN)', '(0,0),(0,0)', '[(0,0),(0,0)]', '[(0,0),(1,1)]', '((0,0))', '<(0,0),0>', '{0,1,0}',
  4294967295, 'pg_catalog.pg_class', 'timestamp with time zone', '');
insert into api.type_zoo (id, c_smallint, c_int, c_bigint, c_numeric, c_numeric_fixed, c_real, c_double, c_text, c_varchar, c_char, c_date, c_time, c_timestamp, c_timestamptz, c_interval,
  c_json, c_jsonb, c_int_arr, c_text_arr, c_int_arr2, c_money, c_uuid, c_bool) values (
  4, -32768, -2147483648, -9223372036854775808, -123456789012345678901234567890.123456789012345678901234567890, -0.001, '-Infinity', '-Infinity',
  E'tab\tnewline\nquote" back\\ bell\x07 slash/ <&> é 🎬', 'ünï 日本 🍿', 'é', '0044-03-15 BC', '00:00:00', '0001-01-01 00:00:00 BC', '-infinity', '-1 years -2 mons +3 days -04:05:06',
  '"str"', '1e40', '{null,-1}', '{"{}","é","🎬"," "}', '[0:1][2:3]={{1,null},{3,4}}', '-0.01', '00000000-0000-0000-0000-000000000000', null);
insert into api.type_zoo (id, c_numeric, c_real, c_double, c_timestamptz, c_json, c_jsonb, c_int_arr, c_date, c_timestamp, c_interval, c_text) values (
  5, 1e-20, 1e-10, 1.7976931348623157e308, '1999-12-31 23:59:59.999999-08', ' { "keep" :  "spaces" } ', '12345678901234567890123.4500', '[5:6]={7,8}', '9999-12-31', '294276-12-31 23:59:59', '00:00:00', 'NULL'),
  (6, 0.000, 1e20, 5e-324, '2024-06-30 23:59:60+00', 'true', 'null', null, '4713-01-01 BC', '1970-01-01 00:00:00', '-00:00:00.000001', 'null');

reset role;
refresh materialized view api.movie_totals;
analyze;
