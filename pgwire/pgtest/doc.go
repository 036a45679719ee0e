// Package pgtest provides PostgreSQL servers to tests: private and scripted ones.
//
// Start returns the server that all tests of a process share. The first call
// starts it, and it ends with the process. NewDB and CreateDB make databases
// that are dropped when the test ends. Every server has the roles Anon, User,
// Other, Serial and Login; Role makes others. A test that stops or kills its
// server gets another one from StartOwn. Connect opens a connection for the
// test itself.
//
// Clusters are copies of one that initdb makes once in a process.
//
// Without server programs tests fail, or with FASTGREST_TEST_SKIP_DB=1 are
// skipped. TEST_PG_BIN_DIR names the folder of the programs.
//
// Script is a server that speaks the protocol over a pipe and sends exactly
// what a test tells it to.
package pgtest
