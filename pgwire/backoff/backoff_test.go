package backoff_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/backoff"
)

func TestNext(t *testing.T) {
	for _, test := range []struct {
		b    backoff.Backoff
		want []time.Duration // in seconds
	}{
		{backoff.Backoff{First: time.Second, Last: 32 * time.Second}, []time.Duration{1, 2, 4, 8, 16, 32, 32, 32}},
		{backoff.Backoff{First: time.Second, Last: 6 * time.Second}, []time.Duration{1, 2, 4, 6, 6}},
		{backoff.Backoff{First: 3 * time.Second, Last: time.Second}, []time.Duration{3, 3, 3}},
		{backoff.Backoff{First: 3 * time.Second}, []time.Duration{3, 3, 3}},
	} {
		for range 2 {
			var got []time.Duration
			for range test.want {
				got = append(got, test.b.Next()/time.Second)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v to %v: %d, want %d", test.b.First, test.b.Last, got, test.want)
			}
			test.b.Reset()
		}
	}
}
