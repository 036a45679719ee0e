//go:build !race

package cors

import (
	"strings"
	"testing"
)

func TestSimpleDoesNotAllocate(t *testing.T) {
	long := "https://" + strings.Repeat("long.", 20) + "example"
	dst := make([]Header, 0, 4)
	for _, r := range []*Request{request(), request("Origin: https://a.example"), request("Origin: " + long), request("Origin: x", "Upgrade: websocket")} {
		if n := testing.AllocsPerRun(100, func() {
			Simple(dst, r, nil)
			Simple(dst, r, []string{"https://b.example", long})
		}); n != 0 {
			t.Errorf("%q: %v allocations", r, n)
		}
	}
	scratch := make([]byte, 0, 256)
	r := request("Origin: "+long, "Method: POST", "Headers: content-type,x-client-info,apikey")
	if n := testing.AllocsPerRun(100, func() { Preflight(dst, scratch, r, nil) }); n != 0 {
		t.Errorf("Preflight: %v allocations", n)
	}
}
