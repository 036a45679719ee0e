// Package clustertest runs the whole server over databases that come, go and
// take over from one another. It consists of tests.
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
// CHAOS_TIME=60s makes the chaos longer than its default of ten seconds, -big
// 10000 the big schema big.
// FASTGREST_PGBOUNCER is the path of PgBouncer, which make installs where it
// can; else it is looked for along PATH and in /usr/sbin. Without it its tests
// are skipped and say so.
package clustertest
