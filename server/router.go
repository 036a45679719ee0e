package server

import (
	"bytes"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/percent"
	"github.com/fastgrest/fastgrest/server/config"
)

// originForm is the path and the query of a request target. Clients send these
// alone, or behind a scheme and a host, as they do to a proxy (RFC 9112, 3.2.2).
// Like in PostgREST, a scheme in upper case is not recognized.
func originForm(target []byte) []byte {
	if len(target) == 0 || target[0] == '/' {
		return target // fast path
	}
	scheme, rest, ok := bytes.Cut(target, schemeEnd)
	if !ok || string(scheme) != "http" && string(scheme) != "https" {
		return target
	}
	i := bytes.IndexAny(rest, "/?")
	switch {
	case i < 0:
		return slash
	case rest[i] == '?':
		return append([]byte{'/'}, rest[i:]...)
	}
	return rest[i:]
}

var schemeEnd = []byte("://")

// resource is what a path leads to.
type resource uint8

const (
	resourceRoot resource = iota
	resourceRelation
	resourceRoutine
)

// target is what a request is about.
type target struct {
	routed   bool // resource and name are set
	resource resource
	name     []byte // of the relation or routine, decoded; buffer
	schema   int    // position among the exposed schemas
	profiled bool   // the response says which schema it is from
}

func (t *target) reset() { *t = target{name: t.name[:0]} }

// route finds the resource a path leads to: /, /relation or /rpc/routine, and
// nothing else. It reads the path as it was sent, because fasthttp's own path
// is normalized (// and ..) and PostgREST's is not.
func (t *target) route(path []byte, c *config.Config) error {
	if len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	if len(path) == 0 {
		switch {
		case c.OpenAPIMode == config.OpenAPIDisabled:
			return errRootDisabled
		case !c.DBRootSpec.IsZero():
			t.resource = resourceRoutine
			t.name = append(t.name[:0], c.DBRootSpec.Name...)
		default:
			t.resource = resourceRoot
			t.name = t.name[:0]
		}
		t.routed = true
		return nil
	}
	first, rest, more := bytes.Cut(path, slash)
	t.resource = resourceRelation
	if more {
		t.name = appendDecoded(t.name[:0], first)
		if string(t.name) != "rpc" || bytes.IndexByte(rest, '/') >= 0 {
			return errPath
		}
		first, t.resource = rest, resourceRoutine
	}
	t.name = appendDecoded(t.name[:0], first)
	t.routed = true
	return nil
}

var slash = []byte{'/'}

// appendDecoded undoes percent-encoding (RFC 3986, 2.1). An incomplete escape
// stands for itself; invalid UTF-8 becomes U+FFFD, as in every path segment.
func appendDecoded(dst, segment []byte) []byte {
	start := len(dst)
	dst = percent.AppendDecoded(dst, segment, false)
	if decoded := dst[start:]; !utf8.Valid(decoded) {
		dst = append(dst[:start], string([]rune(string(decoded)))...)
	}
	return dst
}
