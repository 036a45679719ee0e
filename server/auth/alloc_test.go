//go:build !race

package auth

import "testing"

func TestHitsDoNotAllocate(t *testing.T) {
	a := with(t, secret)
	good := []byte("Bearer " + hs256(`{"role":"ada","exp":1800000000,"sub":"x","nested":{"a":[1,2,3]}}`))
	expired := []byte("Bearer " + hs256(`{"role":"ada","exp":1}`))
	for name, header := range map[string][]byte{"a token": good, "an expired token": expired, "no token": nil, "another scheme": []byte("Basic x")} {
		_, _ = a.Identify(header, noon) // the first time may
		if n := testing.AllocsPerRun(200, func() { _, _ = a.Identify(header, noon) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
