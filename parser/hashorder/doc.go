// Package hashorder tells in which order PostgREST lists the keys of its hash
// tables (Haskell's HashMap over Text, hashed by XXH3 with seed 0). The order
// reaches clients in two places: the members of request.cookies, and which of
// two embeds of one relation gets a range that names the relation.
package hashorder
