// Command fastgrest serves a PostgreSQL database over HTTP, as PostgREST does.
//
//	fastgrest [FILE]           serve the database that FILE, PGRST_* variables and flags describe
//	fastgrest --demo           serve a private database with demo data
//	fastgrest --dump-config    print the configuration in force
//	fastgrest --dump-schema    print the schema cache
//	fastgrest manual [TOPIC]   show the manual, or a page of it
//	fastgrest --ready          ask a running server whether it is ready
//	fastgrest compare          replay requests on two servers and compare the responses
//	fastgrest completion SHELL print a completion script
//	fastgrest man              print the manual page
//	fastgrest check [FILE]     look for faults in the configuration and the database
//	fastgrest init             print SQL for the roles of a new API, and a configuration
//
// The exit code is 0 for success and 1 for every failure, which is one line on
// standard error. Subcommands can have other codes.
//
// run.go chooses the task. Its input and output are arguments, so that tests run
// the program in their process. The demo is in demo.go, its database in
// demo_database.go and demo/*.sql, the text it prints in demo_banner.go. Subcommands
// are in the table of subcommand.go; each has a file of its name. completion.go and
// man.go read that table, the flags, and the settings.
package main
