// Package clustertest runs the whole server with databases that stop, restart
// and fail over. It consists of tests.
//
//	replica_test.go    a read replica by streaming replication, and failovers to it
//	pgbouncer_test.go  PgBouncer in transaction mode
//	chaos_test.go      PostgreSQL killed every second
//	start_test.go      a database that is down, slow, or rejects connections at the start
//	reload_test.go     reloads: triggers, failures, and requests during a reload
//	settings_test.go   settings that reloads change, in files and in the database
//	pool_test.go       the connection limit, timeouts and the maximum lifetime
//	big_test.go        the time and memory of reloads of a big schema
//
// CHAOS_TIME=60s extends the chaos test from its default of ten seconds, and
// -big 10000 enlarges the big schema. FASTGREST_PGBOUNCER is the path of
// PgBouncer, which make installs if it can. By default PgBouncer is searched
// for in PATH and /usr/sbin. Without PgBouncer its tests are skipped with a
// message.
package clustertest
