package admin

// Status is what the page for people shows, as of one moment. Counters count
// from the start of the process; the page takes differences.
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
	Plans  int     `json:"plans"` // in the cache

	Bounds  []float64 `json:"bounds"`  // upper ends of the histograms' buckets but the last, in seconds
	Routes  []Route   `json:"routes"`  // the busiest
	History []Moment  `json:"history"` // those the page does not have

	Bytes      uint64 `json:"bytes"` // of bodies
	Streamed   uint64 `json:"streamed"`
	Heap       uint64 `json:"heap"`
	Goroutines int    `json:"goroutines"`

	Moment // this one, without a number
}

// MaxRoutes is how many routes a Status has at most: what a page can show, and
// what may well be asked for every two seconds.
const MaxRoutes = 50

// Schema is what is served of one.
type Schema struct {
	Name      string `json:"name"`
	Tables    int    `json:"tables"`
	Views     int    `json:"views"`
	Functions int    `json:"functions"`
}

// Load is about the schema cache.
type Load struct {
	Succeeded uint64  `json:"succeeded"`
	Failed    uint64  `json:"failed"`
	At        int64   `json:"at"` // the last that succeeded; 0: none
	Seconds   float64 `json:"seconds"`
}

// Pool is the connection pool.
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

// Cache is one cache.
type Cache struct {
	Name   string `json:"name"`
	Hits   uint64 `json:"hits"`
	Misses uint64 `json:"misses"`
}

// Histogram has the counts of each bucket alone.
type Histogram struct {
	Counts []uint64 `json:"counts"`
	Sum    float64  `json:"sum"` // in seconds
}

// Route is one route's requests.
type Route struct {
	Route    string    `json:"route"`
	Requests uint64    `json:"requests"`
	Errors   uint64    `json:"errors"` // with a 5xx
	Duration Histogram `json:"duration"`
}
