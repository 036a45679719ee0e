package server

import (
	"errors"
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/server/clients"
)

// QUERY (RFC 10008) is GET with the query string in the body. Everything else is as
// in GET: the same steps, plan, statement and response. Content-Location is left
// out, because it would have the query string in a header.

// queryType is the media type of the bodies, for Accept-Query (RFC 10008, 3).
const queryType = `"application/x-www-form-urlencoded"`

const headerAcceptQuery = "Accept-Query"

// overrideMethod makes a POST with X-HTTP-Method-Override: QUERY a QUERY. It is for
// clients behind gateways that do not know QUERY. The header cannot choose other methods.
func (rq *request) overrideMethod() {
	h := &rq.ctx.Request.Header
	if h.IsPost() && string(h.Peek("X-HTTP-Method-Override")) == fasthttp.MethodQuery {
		h.SetMethod(fasthttp.MethodQuery)
	}
}

func (rq *request) isQuery() bool { return rq.ctx.Request.Header.IsQuery() }

// queryText returns the query string of the request. For QUERY it is the one of the
// URL, followed by the body. It is valid until the request ends.
func (rq *request) queryText() ([]byte, error) {
	if !rq.isQuery() {
		return rq.head.rawQuery, nil
	}
	if err := checkQueryType(rq.head.raw.ContentType); err != nil {
		return nil, err
	}
	most := rq.snap.config.ServerMaxQuerySize
	rq.body.Restrict(most)
	raw, err := rq.body.Read(rq.worthReading)
	if err != nil {
		return nil, queryBodyError(err, most)
	}
	if len(raw) > most { // a part of a batch
		return nil, queryBodyError(&clients.BodyError{Fault: clients.BodyTooLarge, Limit: int64(most)}, most)
	}
	first := rq.head.rawQuery
	switch {
	case len(first) == 0:
		return raw, nil
	case len(raw) == 0:
		return first, nil
	}
	// A separator at the end of first would make an empty parameter with a second one.
	dst := append(rq.payload.converted[:0], first...)
	if c := first[len(first)-1]; c != '&' && c != ';' {
		dst = append(dst, '&')
	}
	dst = append(dst, raw...)
	rq.payload.converted = dst
	return dst, rq.body.Count(cap(dst))
}

// queryBodyError names the setting, if the limit that err is about is that of QUERY.
func queryBodyError(err error, most int) error {
	var refused *clients.BodyError
	if errors.As(err, &refused) && refused.Fault == clients.BodyTooLarge && refused.Limit == int64(most) {
		return newProblem(413, "PGRSTX01", "Request body too large").
			withDetails("The limit is " + strconv.Itoa(most) + " bytes (server-max-query-size).")
	}
	return err
}

// checkQueryType refuses bodies of other types (RFC 10008, 2.1).
func checkQueryType(value []byte) error {
	if value == nil {
		return newProblem(400, "PGRSTX20", "A QUERY request needs a Content-Type").
			withHint("The body of a QUERY is a query string: application/x-www-form-urlencoded.")
	}
	if t := header.ParseContentType(value); t.Kind != header.Form {
		p := newProblem(415, "PGRSTX21", "Unsupported Content-Type of a QUERY: "+t.String()).
			withHint("The body of a QUERY is a query string: application/x-www-form-urlencoded.")
		p.headers = append(p.headers, [2]string{headerAcceptQuery, queryType})
		return p
	}
	return nil
}

// advertiseQuery sets Accept-Query, if the server tells clients about QUERY.
func (rq *request) advertiseQuery() bool {
	if !rq.snap.config.ServerAdvertiseQuery {
		return false
	}
	rq.ctx.Response.Header.Set(headerAcceptQuery, queryType)
	return true
}
