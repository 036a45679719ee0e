// Package admin handles the requests of the admin port, for load balancers,
// orchestrators and monitoring:
//
//	/live          200 while the API's socket accepts connections, 500 otherwise
//	/ready         200 when requests can be handled, 503 while the server waits
//	               for the schema cache or the database, 500 when not live
//	/schema_cache  the schema cache as JSON, empty before the first load
//	/metrics       Prometheus text
//	/ui            a page with plots of the last 15 minutes; / and /ui/ redirect
//	               to it (PostgREST responds with 404)
//	/ui.json       the figures of that page; the format may change
//	/manual        the pages of the manual, /manual/TOPIC each, for GET and HEAD only
//	anything else  404
//
// As in PostgREST, the method does not matter for other paths, CORS and authentication do not
// apply, and nothing is logged. Responses have no headers except the
// Content-Type of /metrics and the headers of the pages. The port must not be
// public.
//
// The package does not import the server and the manual. The interfaces Server and
// Manual have everything that it needs. A slow call of WriteMetrics or SchemaCache delays only the
// request that made it.
package admin
