//go:build !linux

package pgwire

import "time"

func nap(d time.Duration) { time.Sleep(d) }
