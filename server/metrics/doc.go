// Package metrics exports the figures of the process in Prometheus' text
// format. Figures that PostgREST has keep its names (pgrst_...), others are
// named fastgrest_.... The Go runtime's and the process's own figures (go_...,
// process_...) are included.
//
// Figures that another package keeps (pool, token cache) are read at each
// scrape, through the functions in Sources. Requests and schema cache loads are
// counted when they happen. Counting costs a few atomic additions to one of
// several shards; a scrape adds the shards up.
//
// The labels are methods, classes of status and routes. A route is the name of
// a database object, and there are at most maxRoutes of them. Requests for
// paths that lead nowhere have the route "unknown".
//
// Each Metrics has its own registry, so one process can have several. Nothing
// is registered globally.
package metrics
