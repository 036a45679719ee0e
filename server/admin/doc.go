// Package admin answers on the admin port, for load balancers, orchestrators
// and monitoring:
//
//	/live          200 while the API's socket is served, 500 otherwise
//	/ready         200 when requests can be answered, 503 while the schema cache
//	               or the database connection is awaited, 500 when not live
//	/schema_cache  the schema cache as JSON, empty before the first load
//	/metrics       Prometheus text
//	/ui            a page for people, with plots of the last 15 minutes; / and
//	               /ui/ lead to it, where PostgREST has nothing (404)
//	/ui.json       the figures on that page; its form may change
//	anything else  404
//
// As with PostgREST the method plays no part, neither CORS nor authentication
// applies, nothing is logged, and answers have no headers of their own except
// the Content-Type of /metrics and those of the page. Keep the port away from the public.
//
// What is asked of the server is the interface Server; this package does not
// import it. A slow answer of Metrics or SchemaCache holds up its caller only.
package admin
