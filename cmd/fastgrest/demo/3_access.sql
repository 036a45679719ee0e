-- Who may do what, and what everything is called in the API's own documentation.

set search_path = bookshop;

grant usage on schema bookshop to anon, reader, editor;
grant usage on schema reports to editor;
grant usage on schema private to anon, reader, editor;
revoke execute on all functions in schema bookshop, private from public;

grant select on genre, publisher, author, author_page, book, book_genre, edition, branch, stock, event, review,
  new_book, in_print, bestseller to anon, reader, editor;
grant execute on function full_name(author), latest_review(book), search_books, similar_books, price_range, whoami(), private.customer_id()
  to anon, reader, editor;

grant select on customer, purchase, purchase_line to reader;
grant update (name, email, newsletter, address) on customer to reader;
grant insert on purchase, purchase_line, review to reader;
grant update (rating, headline, body), delete on review to reader;
grant execute on function buy to reader;

grant select, insert, update, delete on all tables in schema bookshop to editor;
grant select on all tables in schema reports to editor;
grant usage on all sequences in schema bookshop to reader, editor;

alter table customer enable row level security;
alter table purchase enable row level security;
alter table purchase_line enable row level security;
alter table review enable row level security;

create policy own on customer to reader using (id = private.customer_id());
create policy own on purchase to reader using (customer_id = private.customer_id());
create policy own on purchase_line to reader
  using (exists (select from purchase p where p.id = purchase_id and p.customer_id = private.customer_id()));
create policy everyone_reads on review for select to anon, reader using (true);
create policy own_insert on review for insert to reader with check (customer_id = private.customer_id());
create policy own_update on review for update to reader using (customer_id = private.customer_id());
create policy own_delete on review for delete to reader using (customer_id = private.customer_id());
create policy staff on customer to editor using (true);
create policy staff on purchase to editor using (true);
create policy staff on purchase_line to editor using (true);
create policy staff on review to editor using (true);

comment on policy own on customer is 'Customers see and change only themselves';
comment on policy own on purchase is 'Customers see only what they bought';
comment on policy own on purchase_line is 'Lines follow their purchase';

comment on table genre is 'Shelves and sub-shelves';
comment on column genre.slug is 'Short name for addresses';
comment on column genre.name is 'Name on the shelf';
comment on column genre.parent_id is 'The wider genre, if there is one';
comment on table publisher is 'Publishing houses and their imprints';
comment on column publisher.name is 'Name on the spine';
comment on column publisher.city is 'Where it sits';
comment on column publisher.founded is 'Year';
comment on column publisher.parent_id is 'The house that owns this imprint';
comment on table author is 'People who write or translate';
comment on column author.first_name is 'Given name';
comment on column author.last_name is 'Family name';
comment on column author.born is 'Birthday';
comment on column author.country is 'Two letters, as in ISO 3166';
comment on column author.languages is 'Languages they write in';
comment on column author.awards is 'A list of objects with name and year';
comment on table author_page is 'What some authors show about themselves; one page each';
comment on column author_page.portrait is 'Address of a picture';
comment on column author_page.quote is 'In their own words';
comment on table book is E'Books\n\nA work; what can be bought are its editions.';
comment on column book.title is 'Title';
comment on column book.subtitle is 'Subtitle, if there is one';
comment on column book.author_id is 'Who wrote it';
comment on column book.translator_id is 'Who translated it';
comment on column book.publisher_id is 'Who published it first';
comment on column book.published is 'First published on';
comment on column book.pages is 'Pages of the first edition';
comment on column book.blurb is 'Text of the back cover';
comment on column book.tags is 'Free labels';
comment on column book.details is 'Binding, ribbon, size';
comment on column book.search is 'Full-text index of title and blurb, in English';
comment on table book_genre is 'Which book stands on which shelves';
comment on column book_genre.book_id is 'The book';
comment on column book_genre.genre_id is 'The shelf';
comment on table edition is 'What can be bought of a book';
comment on column edition.book_id is 'The book';
comment on column edition.number is 'First, second, ... edition';
comment on column edition.format is 'How it is made';
comment on column edition.isbn is 'International number';
comment on column edition.price is 'In pounds';
comment on column edition.weight_g is 'Grams, if there is something to weigh';
comment on column edition.in_print is 'From when to when it was printed';
comment on table branch is 'Our shops';
comment on column branch.name is 'Name over the door';
comment on column branch.city is 'City';
comment on column branch.opened is 'First day';
comment on column branch.hours is 'Opening hours by kind of day';
comment on table stock is 'How many copies of an edition a branch has';
comment on column stock.branch_id is 'The branch';
comment on column stock.book_id is 'The book, with the next column its edition';
comment on column stock.edition_number is 'Which edition';
comment on column stock.copies is 'Copies on the shelf';
comment on table event is 'Readings and signings';
comment on column event.branch_id is 'Where';
comment on column event.author_id is 'With whom';
comment on column event.title is 'What';
comment on column event.during is 'From when to when';
comment on column event.seats is 'How many can come';
comment on table customer is 'Customers; each sees only themselves';
comment on column customer.name is 'Full name';
comment on column customer.email is 'Where we write to';
comment on column customer.joined is 'Customer since';
comment on column customer.newsletter is 'Wants our newsletter';
comment on column customer.address is 'Street and city';
comment on table review is 'What customers think; everybody may read';
comment on column review.book_id is 'The book';
comment on column review.customer_id is 'Who wrote it';
comment on column review.rating is 'Stars';
comment on column review.headline is 'In a few words';
comment on column review.body is 'In more words';
comment on column review.written is 'When';
comment on table purchase is 'What customers bought; each sees only their own';
comment on column purchase.customer_id is 'Who';
comment on column purchase.branch_id is 'Where; null: online';
comment on column purchase.placed is 'When';
comment on column purchase.status is 'How far it has come';
comment on table purchase_line is 'Lines of purchases';
comment on column purchase_line.purchase_id is 'The purchase';
comment on column purchase_line.line is 'Line number';
comment on column purchase_line.book_id is 'The book, with the next column its edition';
comment on column purchase_line.edition_number is 'Which edition';
comment on column purchase_line.copies is 'How many';
comment on column purchase_line.unit_price is 'Price of one on that day';
comment on view new_book is 'Books of the last year';
comment on view in_print is 'Editions that are still printed, with their titles';
comment on materialized view bestseller is 'Copies and revenue of every book sold, ranked';
comment on column bestseller.copies is 'Copies sold';
comment on column bestseller.revenue is 'In pounds';
comment on column bestseller.place is 'Rank by copies';
comment on view reports.monthly_sales is 'Sales by month and branch; no branch: online';
comment on view reports.low_stock is 'Editions of which a branch has fewer than two copies';
comment on function full_name(author) is 'First and last name; select it like a column of author';
comment on function latest_review(book) is 'The newest review of a book; embed it like a table';
comment on function search_books is E'Full-text search\n\nWords, "quoted phrases", or, -without. Best matches first; filters, order and embeds apply to the result.';
comment on function similar_books is 'Books that share labels with a book';
comment on function price_range is 'Lowest, average and highest price of a genre, by its slug';
comment on function whoami() is 'The role and claims this request runs with';
comment on function buy is 'Buy copies of an edition (needs a reader''s token)';

analyze;
