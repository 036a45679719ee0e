package admin

// Status holds the figures of the page at one time. Counters count from the
// start of the process; the page computes differences.
type Status struct {
	Version  string `json:"version"`
	Postgres string `json:"postgres"` // version; empty before the first connection
	Started  int64  `json:"started"`
	Live     bool   `json:"live"`
	Ready    bool   `json:"ready"`

	Schemas       []Schema `json:"schemas"`
	Relationships int      `json:"relationships"`
	Load          Load     `json:"load"`

	Pool   Pool    `json:"pool"`
	Caches []Cache `json:"caches"`
	Plans  int     `json:"plans"` // entries of the plan cache

	KeySets []KeySet `json:"key_sets"` // those that are fetched

	Nodes []Node `json:"nodes"` // none without read replicas

	Bounds  []float64 `json:"bounds"`  // upper bounds of the histograms' buckets except the last, in seconds
	Routes  []Route   `json:"routes"`  // those with the most requests, at most MaxRoutes
	History []Moment  `json:"history"` // the moments that the page does not have

	Bytes      uint64 `json:"bytes"` // of response bodies
	Streamed   uint64 `json:"streamed"`
	Heap       uint64 `json:"heap"`
	Goroutines int    `json:"goroutines"`

	Moment // the current one; it has no number
}

// MaxRoutes is the maximum number of routes in a Status. It limits the size of
// a response that each open page fetches every two seconds.
const MaxRoutes = 50

// Schema is the number of objects in one exposed schema.
type Schema struct {
	Name      string `json:"name"`
	Tables    int    `json:"tables"`
	Views     int    `json:"views"`
	Functions int    `json:"functions"`
}

// Load counts the loads of the schema cache.
type Load struct {
	Succeeded uint64  `json:"succeeded"`
	Failed    uint64  `json:"failed"`
	At        int64   `json:"at"` // time of the last successful load; 0 before the first
	Seconds   float64 `json:"seconds"`
}

// Pool is the state of the connection pool.
type Pool struct {
	Max        int    `json:"max"`
	InUse      int    `json:"in_use"`
	Idle       int    `json:"idle"`
	Connecting int    `json:"connecting"`
	Waiting    int    `json:"waiting"`
	Timeouts   uint64 `json:"timeouts"`
	Opened     uint64 `json:"opened"`
	Refused    uint64 `json:"refused"`
}

// Cache counts the lookups of one cache.
type Cache struct {
	Name   string `json:"name"`
	Hits   uint64 `json:"hits"`
	Misses uint64 `json:"misses"`
}

// KeySet is a set of keys that is fetched by URL.
type KeySet struct {
	From    string  `json:"from"` // the URL or the issuer
	Keys    int     `json:"keys"`
	Age     float64 `json:"age"` // seconds since the last successful fetch; less than 0 before the first
	Fetched uint64  `json:"fetched"`
	Failed  uint64  `json:"failed"`
	Problem string  `json:"problem"` // why the last fetch failed; "" if it succeeded
}

// Node is a database that serves requests.
type Node struct {
	Name     string  `json:"name"`
	Serves   bool    `json:"serves"`
	Why      string  `json:"why"` // it does not serve
	Lag      float64 `json:"lag"` // in seconds; less than 0 if it is not known
	InFlight int64   `json:"in_flight"`
	Requests uint64  `json:"requests"`
	Retried  uint64  `json:"retried"` // reads that failed there and ran elsewhere
}

// Histogram holds one count per bucket, not cumulative.
type Histogram struct {
	Counts []uint64 `json:"counts"`
	Sum    float64  `json:"sum"` // in seconds
}

// Route holds the figures of one route.
type Route struct {
	Route    string    `json:"route"`
	Requests uint64    `json:"requests"`
	Errors   uint64    `json:"errors"` // responses with a 5xx status
	Duration Histogram `json:"duration"`
}
