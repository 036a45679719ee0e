package clients

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestParseHead: of the header lines as they came.
func TestParseHead(t *testing.T) {
	const absent = "-"
	text := func(b []byte) string {
		if b == nil {
			return absent
		}
		return string(b)
	}
	for _, test := range []struct{ raw, authorization, contentType string }{
		{"", absent, absent},
		{"\r\n", absent, absent},
		{"A: b\r\n\r\n", absent, absent},
		{"Authorization: a\r\nContent-Type: b\r\n\r\n", "a", "b"},
		{"authorization:  a \r\ncontent-type:\tb \t\r\n\r\n", "a ", "b"},
		{"Authorization:\r\nContent-Type: \r\n\r\n", "", ""},
		{"Content-Type: a\r\nContent-Type: b\r\nAuthorization: c\r\nAuthorization: d\r\n\r\n", "c", "a"},
		{"Content-Type:\r\nContent-Type: b\r\n\r\n", absent, ""},
		{"Authorisation: a\r\nContent-Tipe: b\r\n\r\n", absent, absent},
		{"X: Authorization: a\r\n\r\n", absent, absent},
	} {
		h, fault := parseHead([]byte(test.raw), false)
		if fault != headFine || text(h.Authorization) != test.authorization || text(h.ContentType) != test.contentType {
			t.Errorf("%q: fault %d, %q, %q", test.raw, fault, text(h.Authorization), text(h.ContentType))
		}
	}
	many := bytes.Repeat([]byte("A: b\r\n"), maxHeaders)
	for _, test := range []struct {
		raw     string
		chunked bool
		want    headFault
	}{
		{"A: b\n\r\n", false, headAmbiguous},
		{"\n", false, headAmbiguous},
		{"A: b\r\n c\r\n\r\n", false, headAmbiguous},
		{"A: b\r\n\tc: d\r\n\r\n", false, headAmbiguous},
		{"A b: c\r\n\r\n", false, headAmbiguous},
		{"A\r\n\r\n", false, headAmbiguous},
		{"Transfer-Encoding: chunked\r\n\r\n", true, headFine},
		{"Content-Length: 1\r\n\r\n", false, headFine},
		{"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", true, headAmbiguous},
		{"transfer-encoding: identity\r\ncontent-length: 1\r\n\r\n", false, headAmbiguous},
		{"Transfer-Encoding: identity\r\n\r\n", false, headAmbiguous},
		{string(many) + "\r\n", false, headFine},
		{string(many) + "A: b\r\n\r\n", false, headTooMany},
	} {
		if _, fault := parseHead([]byte(test.raw), test.chunked); fault != test.want {
			t.Errorf("%.80q: fault %d, want %d", test.raw, fault, test.want)
		}
	}
}

// TestParseHeadTakesLinearTime: 32 times the lines take about 32 times as long.
// Quadratic work would take 1,024 times as long. A bad factor is measured again: a
// busy machine slows some runs, and quadratic work is slow in all.
func TestParseHeadTakesLinearTime(t *testing.T) {
	const small, factor, most = 2000, 32, 500
	best := func(size int) time.Duration {
		raw, least := bytes.Repeat([]byte("A: b\r\n"), size/6), time.Hour
		for range 7 {
			began := time.Now()
			parseHead(raw, false)
			least = min(least, time.Since(began))
		}
		return max(least, time.Microsecond)
	}
	for attempt := 1; ; attempt++ {
		one, all := best(small), best(factor*small)
		if all <= most*one {
			return
		}
		if attempt == 5 {
			t.Fatalf("%d bytes take %v, %d bytes %v", small, one, factor*small, all)
		}
	}
}

func BenchmarkParseHead(b *testing.B) {
	raw := []byte("Host: localhost:3000\r\nUser-Agent: x/1\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nX-Forwarded-For: 10.0.0.1\r\n" +
		"Authorization: Bearer " + strings.Repeat("a", 200) + "\r\nCookie: a=b\r\nPrefer: count=exact\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if _, fault := parseHead(raw, false); fault != headFine {
			b.Fatal(fault)
		}
	}
}
