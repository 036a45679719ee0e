package pool

import (
	"testing"
	"time"
)

// SetFirstPause changes the pause after a failed attempt to connect for a test.
func SetFirstPause(t *testing.T, d time.Duration) {
	before := firstPause
	firstPause = d
	t.Cleanup(func() { firstPause = before })
}
