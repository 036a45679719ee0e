package parser

import (
	"strings"
	"testing"
)

// The order is that of the members of request.headers in recorded responses of PostgREST.
func TestHashOrder(t *testing.T) {
	keys := []string{"prefer", "content-type", "host", "content-length"}
	for i := range keys[1:] {
		if hashOrder(hashKey(nil, keys[i]), hashKey(nil, keys[i+1])) >= 0 {
			t.Errorf("%q does not come before %q", keys[i], keys[i+1])
		}
	}
}

func TestHashKeyAllocations(t *testing.T) {
	prefix := []byte(strings.Repeat("a", 200) + ".")
	if n := testing.AllocsPerRun(100, func() { hashKey(prefix, "limit") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
