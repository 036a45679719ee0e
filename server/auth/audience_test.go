package auth

import (
	"fmt"
	"testing"
	"time"
)

// TestAudiences: which aud claims fit which audiences.
func TestAudiences(t *testing.T) {
	f := func(accepted []string, required bool, aud, want string) {
		t.Helper()
		a := newAuthenticator(t, Options{Secret: []byte(secret), RoleClaimKey: "$.role", Audiences: accepted, RequireAudience: required, CacheMaxEntries: 9})
		for range 2 { // cached, the second time
			if _, err := a.Identify([]byte("Bearer "+hs256(`{"role":"ada"`+aud+`}`)), noon); fmt.Sprint(err) != want {
				t.Errorf("%q, required %t, %s: %v, want %s", accepted, required, aud, err, want)
			}
		}
	}
	const ok = "<nil>"
	two := []string{"here", "there"}
	f(two, false, `,"aud":"here"`, ok)
	f(two, false, `,"aud":"there"`, ok)
	f(two, false, `,"aud":["elsewhere","there"]`, ok)
	f(two, false, `,"aud":"here,there"`, "JWT not in audience")
	f(two, false, `,"aud":"HERE"`, "JWT not in audience")
	f(two, false, `,"aud":["elsewhere"]`, "JWT not in audience")
	f(two, false, ``, ok)
	f(two, false, `,"aud":[]`, ok)
	f(two, true, ``, "JWT has no audience")
	f(two, true, `,"aud":null`, "JWT has no audience")
	f(two, true, `,"aud":[]`, "JWT has no audience")
	f(two, true, `,"aud":"elsewhere"`, "JWT not in audience")
	f(two, true, `,"aud":{}`, "The JWT 'aud' claim must be a string or an array of strings")
	f(two, true, `,"aud":["there"]`, ok)
	f(nil, true, `,"aud":"anything"`, ok)
	f(nil, true, ``, "JWT has no audience")
}

// TestSkew: the tolerated difference between clocks is a setting.
func TestSkew(t *testing.T) {
	f := func(skew time.Duration, claim string, offset int64, want string) {
		t.Helper()
		a, err := New(Options{Secret: []byte(secret), RoleClaimKey: "$.role", Skew: skew, CacheMaxEntries: 9})
		if err != nil {
			t.Fatal(err)
		}
		token := hs256(fmt.Sprintf(`{"role":"ada","%s":%d}`, claim, noon.Unix()+offset))
		if _, err := a.Identify([]byte("Bearer "+token), noon); fmt.Sprint(err) != want {
			t.Errorf("skew %v, %s %d: %v, want %s", skew, claim, offset, err, want)
		}
	}
	f(0, "exp", 0, "<nil>")
	f(0, "exp", -1, "JWT expired")
	f(0, "nbf", 0, "<nil>")
	f(0, "nbf", 1, "JWT not yet valid")
	f(5*time.Second, "exp", -5, "<nil>")
	f(5*time.Second, "exp", -6, "JWT expired")
	f(5*time.Second, "iat", 5, "<nil>")
	f(5*time.Second, "iat", 6, "JWT issued at future")
}
