package admin

import (
	"bytes"
	"io"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser/percent"
)

// Server is the view that the admin port has of the server. Its methods are
// called from many goroutines. Only Ready may query the database; it returns
// within a bounded time.
type Server interface {
	// Live reports whether the API's socket is open and accepts connections. A
	// unix socket whose file was removed is not live.
	Live() bool
	// Ready reports whether the schema cache is loaded and the database can be
	// reached (the listener is connected, or, without one, a query succeeds). A
	// server that can only read is ready; notice says so.
	Ready() (ready bool, notice string)
	// SchemaCache returns the schema cache as JSON, or nil before the first
	// load. The handler does not modify the bytes.
	SchemaCache() []byte
	// Status returns the figures of the page, with the moments of the history
	// whose number is greater than after.
	Status(after int64) *Status
	// WriteMetrics writes all metrics in Prometheus' text format.
	WriteMetrics(w io.Writer) error
}

// Handler returns the request handler of the admin port. Without a manual /manual
// does not exist.
func Handler(s Server, m Manual) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		// Send no Content-Type unless one is set: PostgREST sends none.
		ctx.Response.Header.SetNoDefaultContentType(true)
		if m != nil && sendManual(ctx, m) {
			return
		}
		if to := pageAt(ctx.RequestURI()); to != "" {
			redirect(ctx, to)
			return
		}
		switch string(endpoint(ctx.RequestURI())) {
		case "live":
			respond(ctx, status(s.Live()), nil)
		case "ready":
			status, notice := readiness(s)
			if notice != "" {
				ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
			}
			respond(ctx, status, []byte(notice))
		case "schema_cache":
			respond(ctx, fasthttp.StatusOK, s.SchemaCache())
		case "metrics":
			metrics(ctx, s)
		case "ui.json":
			sendStatus(ctx, s)
		case "ui", "ui.css", "ui.js", "manual.css":
			sendPage(ctx, pages[string(endpoint(ctx.RequestURI()))])
		default:
			respond(ctx, fasthttp.StatusNotFound, nil)
		}
	}
}

func status(ok bool) int {
	if ok {
		return fasthttp.StatusOK
	}
	return fasthttp.StatusInternalServerError
}

// readiness checks for a wait before it checks for a failure. A server that
// reconnects reports 503, even while its socket is not open yet.
func readiness(s Server) (code int, notice string) {
	ready, notice := s.Ready()
	if !ready {
		return fasthttp.StatusServiceUnavailable, ""
	}
	return status(s.Live()), notice
}

// metrics writes to memory first, so that a failure can still be reported as a
// 500.
func metrics(ctx *fasthttp.RequestCtx, s Server) {
	var text bytes.Buffer
	if err := s.WriteMetrics(&text); err != nil {
		respond(ctx, fasthttp.StatusInternalServerError, nil)
		return
	}
	// Prometheus rejects a response without a Content-Type.
	ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
	respond(ctx, fasthttp.StatusOK, text.Bytes())
}

// respond sends a body with a Content-Length. It sends an empty body without
// one, as PostgREST does, because health checks compare the response. An empty
// body without a length is sent as an empty chunked body; HEAD and HTTP/1.0
// have no chunks.
//
// A HEAD response gets no body stream: fasthttp would end its chunks with a
// stray line break in front of the next response.
func respond(ctx *fasthttp.RequestCtx, status int, body []byte) {
	ctx.SetStatusCode(status)
	switch {
	case ctx.IsHead():
	case len(body) > 0:
		ctx.SetBody(body)
	case ctx.Request.Header.IsHTTP11():
		ctx.SetBodyStream(emptyBody{}, -1)
	}
}

type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }

// pageAt returns the Location that leads from / or /ui/ to the page. It is
// relative, because a proxy may serve the port under another path.
func pageAt(target []byte) string {
	switch string(pathOf(target)) {
	case "/":
		return "ui"
	case "/ui/":
		return "../ui"
	}
	return ""
}

// redirect sends the browser to a path relative to that of the request.
func redirect(ctx *fasthttp.RequestCtx, to string) {
	ctx.Response.Header.Set("Location", to)
	respond(ctx, fasthttp.StatusFound, nil)
}

// pathOf returns the path of a request target in origin or absolute form.
func pathOf(target []byte) []byte {
	path, _, _ := bytes.Cut(target, []byte("?"))
	if _, rest, ok := bytes.Cut(path, []byte("://")); ok && path[0] != '/' {
		path = rest[max(0, bytes.IndexByte(rest, '/')):]
	}
	return path
}

// endpoint returns the decoded segment of a request target that has exactly one
// segment, otherwise nil. "/live/" and "//live" are different paths from
// "/live".
func endpoint(target []byte) []byte {
	path := pathOf(target)
	if len(path) < 2 || path[0] != '/' || bytes.IndexByte(path[1:], '/') >= 0 {
		return nil
	}
	segment := path[1:]
	if bytes.IndexByte(segment, '%') < 0 {
		return segment
	}
	return percent.AppendDecoded(make([]byte, 0, len(segment)), segment, false)
}
