// Command fastgrest serves a PostgreSQL database over HTTP, as PostgREST does.
//
//	fastgrest [FILE]           serve the database that FILE, PGRST_* variables and flags describe
//	fastgrest --demo           serve a private database with demo data
//	fastgrest --dump-config    print the configuration in force
//	fastgrest --dump-schema    print the schema cache
//	fastgrest --ready          ask a running server whether it is ready
//
// The exit code is 0 for success and 1 for every failure, which is one line on
// standard error.
//
// run.go chooses the task. Its input and output are arguments, so that tests run
// the program in their process. The demo is in demo.go, its database in
// demo_database.go and demo/*.sql, the text it prints in demo_banner.go.
package main
