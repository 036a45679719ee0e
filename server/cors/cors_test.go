package cors

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// request parses header lines into a Request.
func request(lines ...string) *Request {
	r := &Request{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		field := map[string]*[]byte{
			"Origin": &r.Origin, "Upgrade": &r.Upgrade,
			"Method": &r.RequestMethod, "Headers": &r.RequestHeaders,
		}[name]
		*field = []byte(value)
	}
	return r
}

func lines(hs []Header) []string {
	var out []string
	for _, h := range hs {
		out = append(out, string(h.Name)+": "+string(h.Value))
	}
	return out
}

var listed = []string{"https://a.example", "https://b.example"}

const (
	anyOriginLine = "Access-Control-Allow-Origin: *"
	credsLine     = "Access-Control-Allow-Credentials: true"
	exposeLine    = "Access-Control-Expose-Headers: Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, Range-Unit"
	methodsLine   = "Access-Control-Allow-Methods: GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD"
	ageLine       = "Access-Control-Max-Age: 86400"
)

func TestSimple(t *testing.T) {
	f := func(r *Request, allowed []string, want ...string) {
		t.Helper()
		first := Header{[]byte("X"), []byte("kept")}
		got := lines(Simple([]Header{first}, r, allowed))
		if d := cmp.Diff(append([]string{"X: kept"}, want...), got); d != "" {
			t.Errorf("%q: (-want +got)\n%s", r, d)
		}
	}
	f(request(), nil)
	f(request(), listed)
	f(request("Origin: https://a.example"), nil, anyOriginLine, exposeLine)
	f(request("Origin: null"), nil, anyOriginLine, exposeLine)
	f(request("Origin: "), nil, anyOriginLine, exposeLine)
	f(request("Origin: not a url"), nil, anyOriginLine, exposeLine)
	f(request("Origin: https://a.example"), listed, "Access-Control-Allow-Origin: https://a.example", credsLine, exposeLine)
	f(request("Origin: https://b.example"), listed, "Access-Control-Allow-Origin: https://b.example", credsLine, exposeLine)
	for _, origin := range []string{"https://c.example", "HTTPS://A.EXAMPLE", "https://a.example/", "http://a.example", "null", "", "*"} {
		f(request("Origin: "+origin), listed)
	}
	f(request("Origin: https://a.example", "Upgrade: WebSocket"), nil)
	f(request("Origin: https://a.example", "Upgrade: h2c"), nil, anyOriginLine, exposeLine)
	f(request("Origin: https://a.example", "Upgrade: web\u017focket"), nil, anyOriginLine, exposeLine)
	f(request("Origin: https://a.example"), []string{"*"})
	f(request("Origin: null"), []string{"null"}, "Access-Control-Allow-Origin: null", credsLine, exposeLine)
}

func TestPreflight(t *testing.T) {
	f := func(r *Request, allowed []string, want ...string) {
		t.Helper()
		hs, _, granted := Preflight(nil, nil, r, allowed)
		if granted != (want != nil) {
			t.Errorf("%q: granted %t", r, granted)
		}
		if d := cmp.Diff(want, lines(hs)); d != "" {
			t.Errorf("%q: (-want +got)\n%s", r, d)
		}
	}
	const origin = "Origin: https://a.example"
	f(request(origin, "Method: POST"), nil, anyOriginLine, methodsLine, ageLine)
	f(request(origin, "Method: POST"), listed, "Access-Control-Allow-Origin: https://a.example", credsLine, methodsLine, ageLine)
	for _, m := range []string{"GET", "PATCH", "PUT", "DELETE", "OPTIONS", "HEAD"} {
		f(request(origin, "Method: "+m), nil, anyOriginLine, methodsLine, ageLine)
	}
	f(request("Method: POST"), nil)
	f(request(origin), nil)
	f(request(origin, "Method: "), nil)
	f(request(origin, "Method: post"), nil)
	f(request(origin, "Method: TRACE"), nil)
	f(request("Origin: https://c.example", "Method: POST"), listed)
	f(request(origin, "Method: GET", "Upgrade: websocket"), nil)

	allow := func(list, want string) {
		t.Helper()
		f(request(origin, "Method: POST", "Headers: "+list), nil, anyOriginLine, methodsLine, "Access-Control-Allow-Headers: "+want, ageLine)
	}
	refuse := func(list string) {
		t.Helper()
		f(request(origin, "Method: POST", "Headers: "+list), nil)
	}
	const simple = ", Accept, Accept-Language, Content-Language"
	allow("", "Authorization"+simple)
	allow("x-one", "Authorization, x-one"+simple)
	allow("x-one,X-Two", "Authorization, x-one, X-Two"+simple)
	allow("x-one ,  x-two\t", "Authorization, x-one, x-two"+simple)
	allow("accept, content-type", "Authorization, accept, content-type, Accept-Language, Content-Language")
	allow("ACCEPT-LANGUAGE,content-language,Accept", "Authorization, ACCEPT-LANGUAGE, content-language, Accept")
	allow("authorization", "Authorization, authorization"+simple)
	allow("a,a", "Authorization, a, a"+simple)
	allow(",a", "Authorization, , a"+simple)
	allow("a,", "Authorization, a, "+simple)
	allow("(odd)", "Authorization, (odd)"+simple)
	allow("a, b c", "Authorization, a, b c"+simple)
	allow("accept b", "Authorization, accept b"+simple)
	refuse("k x,\u212a")
	refuse("a b")
	refuse("a(b)")
	refuse("x,a b")
	allow("x, a b", "Authorization, x, a b"+simple)
}

// TestScratch: the caller's bytes stay, and the value is cut off from what follows.
func TestScratch(t *testing.T) {
	hs, scratch, _ := Preflight(nil, []byte("mine"), request("Origin: a", "Method: GET", "Headers: x"), nil)
	if !strings.HasPrefix(string(scratch), "mineAuthorization, x") {
		t.Errorf("scratch is %q", scratch)
	}
	value := hs[2].Value
	_ = append(value, '!')
	if cap(value) != len(value) {
		t.Error("an append to the value reaches into scratch")
	}
}

func FuzzPreflight(f *testing.F) {
	for _, s := range []string{"", "a", "a,b", "a b", ",", " a , b ", "accept", "\xa0a\xa0", "a\r\nb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		r := request("Origin: a", "Method: GET", "Headers: "+list)
		hs, _, granted := Preflight(nil, nil, r, nil)
		if granted != (len(hs) == 4) {
			t.Fatalf("granted %t with %d headers", granted, len(hs))
		}
		if !granted {
			return
		}
		got := string(hs[2].Value)
		if !strings.HasPrefix(got, "Authorization, ") || len(got) > 2*len(list)+100 {
			t.Fatalf("%q is answered with %q", list, got)
		}
		if !strings.ContainsAny(list, "\r\n") && strings.ContainsAny(got, "\r\n") {
			t.Fatalf("%q is answered with a line break: %q", list, got)
		}
	})
}

func BenchmarkSimple(b *testing.B) {
	dst := make([]Header, 0, 8)
	for _, c := range []struct {
		name string
		r    *Request
	}{{"none", request()}, {"listed", request("Origin: https://b.example")}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Simple(dst, c.r, listed)
			}
		})
	}
}
