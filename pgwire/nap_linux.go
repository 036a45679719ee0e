package pgwire

import (
	"syscall"
	"time"
)

// nap sleeps in the kernel. time.Sleep would have other threads look for work, and cost
// several times as much as what the pause saves.
func nap(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // a signal ends it early
}
