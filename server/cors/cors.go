package cors

import (
	"bytes"
	"strings"
)

// Request has the headers that a decision depends on.
type Request struct {
	Origin         []byte
	Upgrade        []byte
	RequestMethod  []byte // Access-Control-Request-Method
	RequestHeaders []byte // Access-Control-Request-Headers
	Exposed        []byte // the value of Access-Control-Expose-Headers; nil: the usual one
}

// Header is one header of the response.
type Header struct{ Name, Value []byte }

var (
	allowOrigin      = []byte("Access-Control-Allow-Origin")
	allowCredentials = []byte("Access-Control-Allow-Credentials")
	allowMethods     = []byte("Access-Control-Allow-Methods")
	allowHeaders     = []byte("Access-Control-Allow-Headers")
	exposeHeaders    = []byte("Access-Control-Expose-Headers")
	maxAge           = []byte("Access-Control-Max-Age")

	anyOrigin = []byte("*")
	yes       = []byte("true")
	oneDay    = []byte("86400")
	websocket = "websocket"
	exposed   = []byte("Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, Range-Unit")
)

// Exposed returns the usual value of Access-Control-Expose-Headers with one more header.
func Exposed(name string) []byte { return append(exposed[:len(exposed):len(exposed)], ", "+name...) }

// methods are the allowed methods, in the order of the response header.
var methods = []string{"GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "HEAD"}

var methodList = []byte(strings.Join(methods, ", "))

// PostgREST knows no QUERY. So the list has it only if the preflight asks for it.
var (
	query     = []byte("QUERY")
	queryList = []byte(strings.Join(methods, ", ") + ", QUERY")
)

// Simple appends the headers of the response to a request other than OPTIONS. They
// follow the other headers of the response. It allocates nothing if dst has room
// for three headers.
func Simple(dst []Header, r *Request, allowed []string) []Header {
	if r.Origin == nil || !welcome(r, allowed) {
		return dst
	}
	dst = appendOrigin(dst, r.Origin, allowed)
	if r.Exposed != nil {
		return append(dst, Header{exposeHeaders, r.Exposed})
	}
	return append(dst, Header{exposeHeaders, exposed})
}

// Preflight appends the headers of the response to an OPTIONS request, if that is a
// preflight with an allowed origin and method. The list of allowed headers is in
// scratch, which it returns extended.
func Preflight(dst []Header, scratch []byte, r *Request, allowed []string) (_ []Header, _ []byte, granted bool) {
	asksQuery := bytes.Equal(r.RequestMethod, query)
	if r.Origin == nil || !welcome(r, allowed) || !asksQuery && !contains(methods, r.RequestMethod) {
		return dst, scratch, false
	}
	if r.RequestHeaders != nil && !headersAgree(r.RequestHeaders) {
		return dst, scratch, false
	}
	dst = appendOrigin(dst, r.Origin, allowed)
	list := methodList
	if asksQuery {
		list = queryList
	}
	dst = append(dst, Header{allowMethods, list})
	if r.RequestHeaders != nil {
		start := len(scratch)
		scratch = appendAllowedHeaders(scratch, r.RequestHeaders)
		dst = append(dst, Header{allowHeaders, scratch[start:len(scratch):len(scratch)]})
	}
	return append(dst, Header{maxAge, oneDay}), scratch, true
}

// welcome reports whether the policy allows the origin of the request. Origins are
// compared byte by byte, because browsers send them in one form only.
func welcome(r *Request, allowed []string) bool {
	if equalFold(r.Upgrade, websocket) {
		return false
	}
	return len(allowed) == 0 || contains(allowed, r.Origin)
}

// contains is slices.Contains without a conversion of item, which allocates for
// long origins.
func contains(list []string, item []byte) bool {
	for _, s := range list {
		if s == string(item) {
			return true
		}
	}
	return false
}

func appendOrigin(dst []Header, origin []byte, allowed []string) []Header {
	if len(allowed) == 0 {
		return append(dst, Header{allowOrigin, anyOrigin})
	}
	return append(dst, Header{allowOrigin, origin}, Header{allowCredentials, yes})
}
