// Package spectest holds the server to its promise from outside: it builds the
// program, starts it as a user would, sends requests over real sockets and
// compares the answers. It knows no other package of the server.
//
// There are two collections.
//
// testdata/corpus holds what PostgREST answered to some thousands of requests over
// the fixture database schema.sql and data.sql: cases/AREA/TOPIC.json, in groups of one
// server configuration each (groups/NAME.conf). TestCorpus runs them all.
// The corpus is recorded, not written: it is never edited to suit us. What does
// not pass yet stands in testdata/pending.txt with the reason, and a case that
// stands there and passes fails the test, so that the file can only shrink.
//
// testdata/own holds cases of ours as text, NAME.test, for what the corpus does
// not ask, what we do on purpose otherwise, and every bug that was ever mended.
// TestOwn runs them. The format is described in own.go.
//
//	go test ./server/spectest                                  everything
//	go test ./server/spectest -run TestCorpus/base/embed       one area of a group
//	go test ./server/spectest -update-pending                  write pending.txt anew
//	go test ./server/spectest -run TestOwn/paging -rewrite     write down our answers
//	go test ./server/spectest -run TestOwn -confirm PROGRAM    ask PostgREST (or a URL)
//	go test ./server/spectest -program PATH                    test that program
//
// How it runs: one private PostgreSQL; the fixture is loaded once into a
// template; a unit (a group, or an area of a large one, or a scenario) gets a copy of it
// and a server of its own, and as many units run side by side as -parallel allows. Groups roll
// every transaction back, so that their cases do not depend on each other; the
// cases of a scenario run in order and commit.
//
// How answers are compared: the status; every header except those about the
// connection, none missing and none more; JSON by structure, order of keys and
// the literal text of numbers, whitespace apart; other bodies byte by byte. compare.go
// has the details, case.go what a case can ask for.
package spectest
