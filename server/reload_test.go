package server

import (
	"testing"
	"time"
)

func TestDelay(t *testing.T) {
	delay := time.Duration(0)
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 32} {
		if delay = nextDelay(delay); delay != want*time.Second {
			t.Errorf("%v, want %d s", delay, want)
		}
	}
}
