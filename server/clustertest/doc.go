// Package clustertest runs the whole server with databases that stop, restart
// and fail over. It consists of tests.
//
//	replica_test.go    a read replica by streaming replication, and failovers to it
//	pgbouncer_test.go  PgBouncer in transaction mode
//	chaos_test.go      PostgreSQL killed every second
//	start_test.go      a database that is down, slow, or refuses us at the start
//	reload_test.go     reloads: what asks for them, what fails, what goes on meanwhile
//	settings_test.go   settings that reloads change, in files and in the database
//	pool_test.go       connections: how many, and what happens when there are no more
//	big_test.go        what a reload costs where the schema is big
//
// CHAOS_TIME=60s extends the chaos test from its default of ten seconds, and
// -big 10000 enlarges the big schema. FASTGREST_PGBOUNCER is the path of
// PgBouncer, which make installs if it can. By default PgBouncer is searched
// for in PATH and /usr/sbin. Without PgBouncer its tests are skipped with a
// message.
package clustertest
