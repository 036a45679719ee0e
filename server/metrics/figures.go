package metrics

import "github.com/prometheus/client_golang/prometheus"

// These families are read at each scrape. A family with labels sends its
// samples in the order of its label values; a family without labels has one
// sample.
var (
	loads     = counter("pgrst_schema_cache_loads_total", "The total number of times the schema cache was loaded", "status")
	queryTime = gauge("pgrst_schema_cache_query_time_seconds", "The query time in seconds of the last schema cache load")

	poolTimeouts  = counter("pgrst_db_pool_timeouts_total", "The total number of pool connection timeouts")
	poolAvailable = gauge("pgrst_db_pool_available", "Available connections in the pool")
	poolWaiting   = gauge("pgrst_db_pool_waiting", "Requests waiting to acquire a pool connection")
	poolMax       = gauge("pgrst_db_pool_max", "Max pool connections")

	tokenRequests  = counter("pgrst_jwt_cache_requests_total", "The total number of JWT cache lookups")
	tokenHits      = counter("pgrst_jwt_cache_hits_total", "The total number of JWT cache hits")
	tokenEvictions = counter("pgrst_jwt_cache_evictions_total", "The total number of JWT cache evictions")

	planHits    = counter("fastgrest_plan_cache_hits_total", "The total number of requests whose plan was found in the plan cache")
	planMisses  = counter("fastgrest_plan_cache_misses_total", "The total number of requests whose plan had to be built")
	planEntries = gauge("fastgrest_plan_cache_entries", "Plans in the plan cache")

	keySetAge     = gauge("fastgrest_jwt_key_set_age_seconds", "Time since the key set was fetched", "from")
	keySetKeys    = gauge("fastgrest_jwt_key_set_keys", "Usable keys in the key set", "from")
	keySetFetches = counter("fastgrest_jwt_key_set_fetches_total", "The total number of fetches of the key set", "from", "status")

	nodeServes   = gauge("fastgrest_node_serves", "1 if the database serves requests, else 0", "node")
	nodeLag      = gauge("fastgrest_node_lag_seconds", "How far the read replica is behind the primary", "node")
	nodeInFlight = gauge("fastgrest_node_in_flight", "Requests in flight on the database", "node")
	nodeRequests = counter("fastgrest_node_requests_total", "The total number of requests that went to the database", "node")
	nodeRetried  = counter("fastgrest_node_retried_total", "The total number of reads that failed on the read replica and ran on another database", "node")
	nodeRefused  = counter("fastgrest_node_refused_total", "The total number of reads that the read replica could not serve, by the reason", "node", "reason")

	requests = counter("fastgrest_requests_total", "The total number of requests with a response, by class of status", "class")

	statementHits   = counter("fastgrest_statement_cache_hits_total", "The total number of statements that the connection had prepared")
	statementMisses = counter("fastgrest_statement_cache_misses_total", "The total number of statements that had to be parsed")

	bodyBytes    = counter("fastgrest_response_bytes_total", "The total number of bytes in response bodies")
	spooledBytes = counter("fastgrest_response_spooled_bytes_total", "The total number of those bytes that were sent from the spool, in pieces, because they were too many for one buffer")
	truncated    = counter("fastgrest_responses_truncated_total", "The total number of responses from the spool of which the client did not take all bytes, because it went away or was too slow")

	spoolMemory = gauge("fastgrest_spool_memory_bytes", "Bytes of large responses held in memory until they are sent")
	bodyMemory  = gauge("fastgrest_body_memory_bytes", "Bytes of large request bodies held in memory")
	spoolFiles  = gauge("fastgrest_spool_file_bytes", "Bytes of large responses held in temporary files until they are sent")

	poolInUse      = gauge("fastgrest_db_pool_in_use", "Connections in use")
	poolConnecting = gauge("fastgrest_db_pool_connecting", "Connections being made")
	poolOpened     = counter("fastgrest_db_pool_opened_total", "The total number of connections made")
	poolQueued     = gauge("fastgrest_db_pool_queued", "Requests known to be slow that wait because slow requests may not take all connections")
	poolRefused    = counter("fastgrest_db_pool_refused_total", "The total number of connections that could not be made")

	coalesced           = counter("fastgrest_coalesced_requests_total", "The total number of reads that ran in one statement with others")
	coalescedStatements = counter("fastgrest_coalesced_statements_total", "The total number of statements that ran several reads")

	durations    = prometheus.NewDesc("fastgrest_request_duration_seconds", "Time from the head of a request to its response", []string{"method", "route", "class"}, nil)
	databaseTime = prometheus.NewDesc("fastgrest_db_time_seconds", "Time requests spent in the database", nil, nil)
	poolWait     = prometheus.NewDesc("fastgrest_db_pool_wait_seconds", "Time requests waited for a connection", nil, nil)
)

// figure is a family whose value is read at each scrape.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func counter(name, help string, labels ...string) figure {
	return figure{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue}
}

func gauge(name, help string, labels ...string) figure {
	return figure{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue}
}

func (f figure) send(ch chan<- prometheus.Metric, value float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
}

// figures is the collector that reads the sources.
type figures struct {
	sources Sources
	metrics *Metrics
}

// Describe sends nothing, because the families depend on the sources. The
// registry accepts such a collector as "unchecked".
func (c *figures) Describe(chan<- *prometheus.Desc) {}

// Collect calls each source once, so that its figures are consistent.
func (c *figures) Collect(ch chan<- prometheus.Metric) {
	if c.sources.Pool != nil {
		p := c.sources.Pool()
		poolTimeouts.send(ch, float64(p.Timeouts))
		poolAvailable.send(ch, float64(p.Available))
		poolWaiting.send(ch, float64(p.Waiting))
		poolMax.send(ch, float64(p.Max))
		poolInUse.send(ch, float64(p.InUse))
		poolConnecting.send(ch, float64(p.Connecting))
		poolOpened.send(ch, float64(p.Opened))
		poolQueued.send(ch, float64(p.Queued))
		poolRefused.send(ch, float64(p.Refused))
		coalesced.send(ch, float64(p.Coalesced))
		coalescedStatements.send(ch, float64(p.CoalescedStatements))
	}
	if c.sources.TokenCache != nil {
		t := c.sources.TokenCache()
		tokenRequests.send(ch, float64(t.Requests))
		tokenHits.send(ch, float64(t.Hits))
		tokenEvictions.send(ch, float64(t.Evictions))
	}
	if c.sources.Plans != nil {
		planEntries.send(ch, float64(c.sources.Plans()))
	}
	if c.sources.Spool != nil {
		s := c.sources.Spool()
		spoolMemory.send(ch, float64(s.Memory))
		spoolFiles.send(ch, float64(s.Files))
	}
	if c.sources.Bodies != nil {
		bodyMemory.send(ch, float64(c.sources.Bodies()))
	}
	if c.sources.KeySets != nil {
		for _, k := range c.sources.KeySets() {
			if k.HasAge {
				keySetAge.send(ch, k.Age.Seconds(), k.From)
			}
			keySetKeys.send(ch, float64(k.Keys), k.From)
			keySetFetches.send(ch, float64(k.Fetched), k.From, "SUCCESS")
			keySetFetches.send(ch, float64(k.Failed), k.From, "FAIL")
		}
	}
	if c.sources.Nodes != nil {
		for _, n := range c.sources.Nodes() {
			serves := 0.0
			if n.Serves {
				serves = 1
			}
			nodeServes.send(ch, serves, n.Name)
			if n.HasLag {
				nodeLag.send(ch, n.Lag.Seconds(), n.Name)
			}
			nodeInFlight.send(ch, float64(n.InFlight), n.Name)
			nodeRequests.send(ch, float64(n.Requests), n.Name)
			if !n.Primary {
				nodeRetried.send(ch, float64(n.Retried), n.Name)
			}
			for reason, count := range n.Refused {
				if count > 0 {
					nodeRefused.send(ch, float64(count), n.Name, reason)
				}
			}
		}
	}
	l := c.metrics.Loads()
	if l.Succeeded > 0 { // like PostgREST, whose counters appear with their first event
		loads.send(ch, float64(l.Succeeded), "SUCCESS")
	}
	if l.Failed > 0 {
		loads.send(ch, float64(l.Failed), "FAIL")
	}
	queryTime.send(ch, l.Took.Seconds())
	c.metrics.collectRequests(ch)
}
