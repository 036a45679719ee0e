package admin

import (
	"bytes"
	"io"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser/percent"
)

// Server is what the admin port tells about. Its methods are called from many
// goroutines; only Ready may ask the database, for a bounded time.
type Server interface {
	// Live reports whether the API's socket is open and served. A unix socket
	// whose file was removed is not live.
	Live() bool
	// Ready reports whether the schema cache is loaded and the database can be
	// reached (the listener is connected, or, without one, a query succeeds).
	Ready() bool
	// SchemaCache returns the schema cache as JSON, nil before the first load.
	// The bytes are not modified.
	SchemaCache() []byte
	// Status returns what the page shows, with the moments of its history after
	// the one with this number.
	Status(after int64) *Status
	// WriteMetrics writes Prometheus text.
	WriteMetrics(w io.Writer) error
}

// Handler answers the requests of the admin port.
func Handler(s Server) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		// Neither a type for empty bodies nor one guessed for JSON: PostgREST sends none.
		ctx.Response.Header.SetNoDefaultContentType(true)
		if to := pageAt(ctx.RequestURI()); to != "" {
			ctx.Response.Header.Set("Location", to)
			answer(ctx, fasthttp.StatusFound, nil)
			return
		}
		switch string(endpoint(ctx.RequestURI())) {
		case "live":
			answer(ctx, status(s.Live()), nil)
		case "ready":
			answer(ctx, readiness(s), nil)
		case "schema_cache":
			answer(ctx, fasthttp.StatusOK, s.SchemaCache())
		case "metrics":
			metrics(ctx, s)
		case "ui.json":
			answerStatus(ctx, s)
		case "ui", "ui.css", "ui.js":
			answerPage(ctx, pages[string(endpoint(ctx.RequestURI()))])
		default:
			answer(ctx, fasthttp.StatusNotFound, nil)
		}
	}
}

func status(ok bool) int {
	if ok {
		return fasthttp.StatusOK
	}
	return fasthttp.StatusInternalServerError
}

// readiness puts waiting before failing: a server that reconnects is to be
// waited for, even while its socket is not open yet.
func readiness(s Server) int {
	if !s.Ready() {
		return fasthttp.StatusServiceUnavailable
	}
	return status(s.Live())
}

// metrics is written to memory first, so that a failure can still be a 500.
func metrics(ctx *fasthttp.RequestCtx, s Server) {
	var text bytes.Buffer
	if err := s.WriteMetrics(&text); err != nil {
		answer(ctx, fasthttp.StatusInternalServerError, nil)
		return
	}
	// Prometheus refuses an answer without a type.
	ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
	answer(ctx, fasthttp.StatusOK, text.Bytes())
}

// answer sends a body with its length and an empty one without, which is what
// PostgREST does and health checks compare. An empty body of unsaid length is
// an empty chunked one; for HEAD and HTTP/1.0 there are no chunks.
//
// fasthttp ends the chunks of a HEAD answer that has none, so that a stray
// line break would stand in front of the next answer: give it no stream.
func answer(ctx *fasthttp.RequestCtx, status int, body []byte) {
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

// pageAt returns where the page is from the two paths that lead to it: by a
// relative address, since a proxy may serve the port below a path of its own.
func pageAt(target []byte) string {
	switch string(pathOf(target)) {
	case "/":
		return "ui"
	case "/ui/":
		return "../ui"
	}
	return ""
}

// pathOf returns the path of a request target in origin or absolute form.
func pathOf(target []byte) []byte {
	path, _, _ := bytes.Cut(target, []byte("?"))
	if _, rest, ok := bytes.Cut(path, []byte("://")); ok && path[0] != '/' {
		path = rest[max(0, bytes.IndexByte(rest, '/')):]
	}
	return path
}

// endpoint returns the decoded only segment of a request target, or nil when
// there are more or none: "/live/" and "//live" are other paths than "/live".
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
