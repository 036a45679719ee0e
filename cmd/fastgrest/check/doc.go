// Package check looks for faults in a configuration and in the database that it names.
//
//	config.LoadOptions --> Run --> Report --> WriteText, WriteJSON
//
// Run loads the configuration as the server does, connects, and asks the catalog of the database in one read-only
// transaction. The only code of the database that runs is the function of db-pre-config, which the server calls, too.
// Every statement has a time limit. No statement takes a lock that a writer waits for.
//
//	run.go         the order of the steps
//	finding.go     what a check reports
//	report.go      the report as text and as JSON
//	settings.go    the configuration alone
//	link.go        the connection: TLS, version, poolers, notifications
//	session.go     the connection and its transaction, the settings in the database
//	rule.go        a rule is a query that returns what was found and what to do
//	roles.go, schemas.go, hooks.go, limits.go, tables.go, views.go, functions.go, keys.go   rules, one group each
//	policies.go    policies; initplan.go rewrites their expressions
//
// PostgreSQL quotes all names that are in a report (format with %I, regclass, regprocedure), so the SQL of a finding
// can be executed as it is. The search path of the transaction has only pg_catalog. So all other names have their
// schema.
//
// A fault that was found is no error: Run returns an error only if the checks themselves fail.
package check
