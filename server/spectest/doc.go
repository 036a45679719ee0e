// Package spectest tests the server from outside. It builds the program, starts
// it with a configuration, sends requests over sockets and compares the
// responses. It imports no other package of the server.
//
// There are two collections of cases.
//
// testdata/corpus holds PostgREST's responses to several thousand requests to
// the database of schema.sql and data.sql. The files are cases/AREA/TOPIC.json;
// each group of cases has one server configuration (groups/NAME.conf).
// TestCorpus runs all of them. The corpus is recorded and must not be edited.
// Cases that do not pass yet are listed in testdata/pending.txt with a reason.
// A listed case that passes fails the test, so the list can only shrink.
//
// testdata/own holds our own cases as text files, NAME.test: requests that the
// corpus lacks, intended differences, and fixed bugs. TestOwn runs them. own.go
// describes the format.
//
//	go test ./server/spectest                                  everything
//	go test ./server/spectest -run TestCorpus/base/embed       one area of a group
//	go test ./server/spectest -update-pending                  rewrite pending.txt
//	go test ./server/spectest -run TestOwn/paging -rewrite     write our responses into the file
//	go test ./server/spectest -run TestOwn -confirm PROGRAM    send the requests to PostgREST (or a URL)
//	go test ./server/spectest -program PATH                    test that program
//
// The tests start one private PostgreSQL and load the fixture once into a
// template database. A unit is a group, an area of a large group, or a
// scenario. Each unit gets a copy of the template and its own server, and
// -parallel units run at the same time. Groups roll back every transaction, so
// their cases do not depend on each other. The cases of a scenario run in order
// and commit.
//
// The comparison covers the status; all headers except those about the
// connection; JSON by structure, with the order of keys and the literal text of
// numbers, but without whitespace; and other bodies byte by byte. compare.go
// has the details, and case.go the options of a case.
package spectest
