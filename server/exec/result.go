package exec

// Result is what a call has brought back from the database. It belongs to its
// Execution; Body.Bytes may be swapped for another buffer.
type Result struct {
	Body Body

	Rows     int64 // of the page, or changed
	Total    int64 // of all pages, with HasTotal
	HasTotal bool
	Estimate int64 // of the rows of all pages

	// Headers and Status are response.headers and response.status, as user code
	// has set them.
	Headers, Status       []byte
	HasHeaders, HasStatus bool

	Page Page // of a page with a cursor

	Inserted    int64 // rows that a merge inserted, with HasInserted
	HasInserted bool
}

func (r *Result) reset() {
	r.Rows, r.Total, r.HasTotal, r.Estimate = 0, 0, false, 0
	r.HasHeaders, r.HasStatus, r.HasInserted = false, false, false
	r.Page.reset()
}

// maxKept is how many bytes a buffer keeps between requests: more than nearly
// every request needs, so that one giant does not pin its memory.
const maxKept = 64 << 10

// DropLarge drops the buffers of more than 64 KiB. It is for buffers that are kept
// between requests.
func DropLarge(buffers ...*[]byte) {
	for _, b := range buffers {
		if cap(*b) > maxKept {
			*b = nil
		}
	}
}

// release lets go of the body and of large buffers.
func (r *Result) release() {
	r.reset()
	r.Body.Drop()
	if cap(r.Body.Bytes) > 4*maxKept {
		r.Body.Bytes = nil
	}
	DropLarge(&r.Headers, &r.Status, &r.Page.bytes)
}
