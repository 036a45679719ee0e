package server

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/cookies"
	"github.com/fastgrest/fastgrest/server/exec"
)

// settings renders the headers of a request for request.headers and
// request.cookies. Its buffers are reused.
type settings struct {
	headersJSON []byte
	cookiesJSON []byte

	headers []requestHeader
	order   []int // of headers, by name
	add     func(name, value []byte) bool
}

// requestHeader is one header of the request, borrowed.
type requestHeader struct {
	name, value []byte
	superseded  bool // by a later one of the same name
}

func (s *settings) init() {
	s.add = s.addHeader // bound once: a method value allocates
}

// build fills headersJSON and cookiesJSON, unless the call goes without them.
func (s *settings) build(h *fasthttp.RequestHeader, without sqlgen.SettingSet) {
	s.cookiesJSON, s.headersJSON = s.cookiesJSON[:0], s.headersJSON[:0]
	// Cookies first: visiting all headers has fasthttp rewrite them.
	if !without.Has(sqlgen.SettingCookies) {
		s.cookiesJSON = cookies.AppendJSON(s.cookiesJSON, h.Peek(fasthttp.HeaderCookie))
	}
	if !without.Has(sqlgen.SettingHeaders) {
		s.buildHeaders(h)
	}
}

func (s *settings) buildHeaders(h *fasthttp.RequestHeader) {
	s.headers = s.headers[:0]
	h.All()(s.add)
	s.supersede()
	dst := append(s.headersJSON, '{')
	for i := range s.headers {
		if h := &s.headers[i]; !h.superseded {
			if len(dst) > 1 {
				dst = append(dst, ',')
			}
			dst = appendFolded(dst, h.name)
			dst = append(dst, ':')
			dst = jsontext.AppendString(dst, h.value)
		}
	}
	s.headersJSON = append(dst, '}')
}

// release lets go of the request and of large buffers.
func (s *settings) release() {
	clear(s.headers)
	exec.DropLarge(&s.headersJSON, &s.cookiesJSON)
}

func (s *settings) addHeader(name, value []byte) bool {
	if string(name) != fasthttp.HeaderCookie {
		s.headers = append(s.headers, requestHeader{name: name, value: value})
	}
	return true
}

// fewHeaders are compared with each other. More of them are sorted.
const fewHeaders = 24

// supersede marks the headers that a later header of the same name replaces.
func (s *settings) supersede() {
	all := s.headers
	if len(all) <= fewHeaders {
		for i := range all {
			for j := i + 1; j < len(all) && !all[i].superseded; j++ {
				all[i].superseded = bytes.Equal(all[i].name, all[j].name)
			}
		}
		return
	}
	order := s.order[:0]
	for i := range all {
		order = append(order, i)
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(bytes.Compare(all[i].name, all[j].name), cmp.Compare(i, j)) })
	for k := 1; k < len(order); k++ {
		before := &all[order[k-1]]
		before.superseded = bytes.Equal(before.name, all[order[k]].name)
	}
	s.order = order
}

// appendFolded appends a header's name as a JSON string, in lower case.
func appendFolded(dst, name []byte) []byte {
	start := len(dst)
	dst = jsontext.AppendString(dst, name)
	for i := start; i < len(dst); i++ {
		if c := dst[i]; 'A' <= c && c <= 'Z' {
			dst[i] = c + 'a' - 'A'
		}
	}
	return dst
}
