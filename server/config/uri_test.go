package config

import "testing"

func TestURI(t *testing.T) {
	f := func(s string, uri, proxy bool) {
		t.Helper()
		if got := isURI(s); got != uri {
			t.Errorf("isURI(%q) = %v", s, got)
		}
		if got := isProxyURI(s); got != proxy {
			t.Errorf("isProxyURI(%q) = %v", s, got)
		}
	}
	f("http://postgrest.com/openapi.json", true, true)
	f("https://postgrest.com:8080/openapi.json", true, true)
	f("HTTPS://x", true, true)
	f("http://[::1]:80/", true, true)
	f("http://[fe80::1%25eth0]/", true, true)
	f("http://10.0.0.1", true, true)
	f("http://a%20b/", true, true)
	f("http://localhost:65535", true, true)

	f("http://", true, false)
	f("http:///path", true, false)
	f("http:x", true, false)
	f("http://x?y", true, false)
	f("http://x#y", true, false)
	f("http://u@x", true, false)
	f("http://u:p@x", true, false)
	f("http://x:", true, false)
	f("http://x:0", true, false)
	f("http://x:65536", true, false)
	f("http://x:99999999999999999999999", true, false)
	f("ftp://x", true, false)
	f("urn:isbn:123", true, false)
	f("a+b-c.d:", true, false)

	f("", false, false)
	f("nope", false, false)
	f(":x", false, false)
	f("1a:x", false, false)
	f("a_b:x", false, false)
	f("http://%%localhorst.invalid", false, false)
	f("htp:/@@localhorst.invalid", true, false)
	f("foo://%%$$^^.com", false, false)
	f("http://a b/", false, false)
	f("http://x/a b", false, false)
	f("http://x/%zz", false, false)
	f("http://x/%1", false, false)
	f("http://x:8a/", false, false)
	f("http://[::1/", false, false)
	f("http://[1.2.3.4]/", false, false)
	f("http://[::1]x/", false, false)
	f("http://x/<>", false, false)
	f("http://x/#a#b", false, false)
	f("http://é/", false, false)
	f("http://u@v@x", false, false)
}
