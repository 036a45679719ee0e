// Package pgtest gives tests a PostgreSQL to talk to: a private one, or a
// scripted one at the other end of a pipe.
//
// Start returns the server that all tests of a process share (pgcluster makes
// it); the first call starts it, and it disappears with the process, however
// that ends. Tests keep apart by databases of their own: NewDB and CreateDB
// make them and drop them when the test ends. A test that stops or kills its
// server asks StartOwn for another.
//
// Where there are no server programs a test fails. FASTGREST_TEST_SKIP_DB=1
// turns that into a skip that says so; TEST_PG_BIN_DIR names the directory of
// the programs and beats the search for them.
//
// Script is the other kind of server: it speaks the protocol over a pipe and
// says exactly what a test wants said, in the wrong order if need be.
package pgtest
