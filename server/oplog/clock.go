package oplog

import (
	"sync/atomic"
	"time"
)

// timeLayout is the date of the common log format.
const timeLayout = "02/Jan/2006:15:04:05 -0700"

// clock formats a time once per second; other lines of that second copy it.
type clock struct{ last atomic.Pointer[stamp] }

type stamp struct {
	second int64
	text   [len(timeLayout)]byte
}

// append adds the time to dst. Two lines that race at a new second both format
// it, which is harmless.
func (c *clock) append(dst []byte, now time.Time) []byte {
	second := now.Unix()
	if s := c.last.Load(); s != nil && s.second == second {
		return append(dst, s.text[:]...)
	}
	s := &stamp{second: second}
	now.AppendFormat(s.text[:0], timeLayout)
	c.last.Store(s)
	return append(dst, s.text[:]...)
}
