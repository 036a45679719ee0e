package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/server/cookies"
	"github.com/fastgrest/fastgrest/server/cors"
)

// TestHeadersTakeLinearTime: parsing takes time in proportion to the size of the
// head, up to the largest one. For 32 times the size, linear work takes 32 times
// as long and quadratic work 1,024 times. The best of several runs counts, and a
// bad factor is measured again, because a busy machine slows some runs while
// quadratic work is slow in all.
func TestHeadersTakeLinearTime(t *testing.T) {
	oneByOne(t)
	const small, factor, most = 62 << 10 / 32, 32, 500
	many := func(one string) func(int) []byte {
		return func(size int) []byte {
			var b bytes.Buffer
			for i := 0; b.Len() < size; i++ {
				fmt.Fprintf(&b, one, i)
			}
			return b.Bytes()
		}
	}
	text := func(mode parser.Mode) func([]byte) {
		var q parser.Query
		return func(b []byte) {
			q.Reset()
			_ = q.Parse(b, mode)
		}
	}
	var prefer header.Prefer
	var st settings
	for _, test := range []struct {
		name  string
		input func(size int) []byte
		work  func([]byte)
	}{
		{"CORS preflight", many("x%d,"), func(b []byte) {
			cors.Preflight(nil, nil, &cors.Request{Origin: []byte("a"), RequestMethod: []byte("GET"), RequestHeaders: b}, nil)
		}},
		{"CORS preflight, odd", many("x%d y,"), func(b []byte) {
			cors.Preflight(nil, nil, &cors.Request{Origin: []byte("a"), RequestMethod: []byte("GET"), RequestHeaders: b}, nil)
		}},
		{"request.headers", many("Xx%06d"), func(b []byte) {
			st.headers = st.headers[:0]
			for ; len(b) > 8; b = b[8:] {
				st.addHeader(b[:8], nil)
			}
			st.supersede()
		}},
		{"cookies", many("c%d=v; "), func(b []byte) { cookies.AppendJSON(nil, b) }},
		{"Prefer, unknown", many("p%d, "), func(b []byte) { prefer.Reset(); prefer.Add(b, true) }},
		{"Prefer, known", many("count=exact%.0d, "), func(b []byte) { prefer.Reset(); prefer.Add(b, true) }},
		{"Prefer, lines", many("p%d"), func(b []byte) {
			prefer.Reset()
			for ; len(b) > 4; b = b[4:] {
				prefer.Add(b[:4], true)
			}
		}},
		{"Accept", many("a/b%d;q=0.5, "), func(b []byte) { header.ParseAccept(nil, b) }},
		{"Accept, spaces", many("a / b %d , "), func(b []byte) { header.ParseAccept(nil, b) }},
		{"media type", many(";p%d=v"), func(b []byte) { header.ParseMedia(append([]byte("application/json"), b...)) }},
		{"plan", many("analyze|%.0d"), func(b []byte) { header.ParseMedia(append([]byte("application/vnd.pgrst.plan;options="), b...)) }},
		{"Range", many("%d"), func(b []byte) { header.ParseRange(b) }},
		{"filters", many("c%d=eq.1&"), text(parser.ModeRelation)},
		{"the same filter", many("c=eq.1%.0d&"), text(parser.ModeRelation)},
		{"filters of embeds", many("a.c%d=eq.1&"), text(parser.ModeRelation)},
		{"orders of embeds", many("a%d.order=b&"), text(parser.ModeRelation)},
		{"limits of embeds", many("a%d.limit=1&"), text(parser.ModeRelation)},
		{"offsets of embeds", many("a%d.offset=1&"), text(parser.ModeRelation)},
		{"trees of embeds", many("a%d.or=(b.eq.1,c.eq.2)&"), text(parser.ModeRelation)},
		{"empty", many("&%.0d"), text(parser.ModeRelation)},
		{"arguments", many("a%d=1&"), text(parser.ModeCallRead)},
		{"the same argument", many("a=1%.0d&"), text(parser.ModeCallRead)},
		{"columns", func(size int) []byte { return append([]byte("columns="), many("c%d,")(size)...) }, text(parser.ModeRelation)},
		{"select", func(size int) []byte { return append([]byte("select=a"), many(",c%d")(size)...) }, text(parser.ModeRelation)},
		{"select embeds", func(size int) []byte { return append([]byte("select=a"), many(",e%d(b)")(size)...) }, text(parser.ModeRelation)},
		{"order", func(size int) []byte { return append([]byte("order=a"), many(",c%d.desc")(size)...) }, text(parser.ModeRelation)},
		{"in", func(size int) []byte { return append([]byte("a=in.(0"), append(many(",%d")(size), ')')...) }, text(parser.ModeRelation)},
		{"or", func(size int) []byte { return append([]byte("or=(a.eq.0"), append(many(",c%d.eq.1")(size), ')')...) }, text(parser.ModeRelation)},
		{"escapes", many("%%61%d"), text(parser.ModeRelation)},
	} {
		t.Run(test.name, func(t *testing.T) {
			best := func(size int) time.Duration {
				input, least := test.input(size), time.Hour
				for range 7 {
					began := time.Now()
					test.work(input)
					least = min(least, time.Since(began))
				}
				return max(least, time.Microsecond)
			}
			for attempt := 1; ; attempt++ {
				one, all := best(small), best(factor*small)
				t.Logf("%d bytes take %v, %d bytes %v: factor %.0f", small, one, factor*small, all, float64(all)/float64(one))
				if all <= most*one {
					return
				}
				if attempt == 5 {
					t.Fatal("that is not linear")
				}
			}
		})
	}
}

// TestSupersede: of headers of one name the last counts, however many there are.
func TestSupersede(t *testing.T) {
	for _, n := range []int{0, 1, 2, fewHeaders, fewHeaders + 1, 256} {
		var st settings
		for range 2 { // with what the first request has left
			st.headers = st.headers[:0]
			for i := range n {
				st.addHeader([]byte("X-"+strings.Repeat("a", i%7)), []byte{byte(i)})
			}
			st.supersede()
			for i, h := range st.headers {
				if h.superseded != (i+7 < n) {
					t.Errorf("%d of %d: %t", i, n, h.superseded)
				}
			}
		}
	}
}
