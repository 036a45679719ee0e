package oplog

import (
	"sync/atomic"
	"time"
)

// timeLayout is the date of the common log format. isoLayout and zoneLayout are
// the parts of RFC 3339 before and after the fraction of the second.
const (
	timeLayout = "02/Jan/2006:15:04:05 -0700"
	isoLayout  = "2006-01-02T15:04:05"
	zoneLayout = "-07:00"
)

// clock formats a time once per second. Later lines of that second copy the
// text.
type clock struct{ last atomic.Pointer[stamp] }

type stamp struct {
	second int64
	text   [len(timeLayout)]byte
	iso    [len(isoLayout)]byte
	zone   [len(zoneLayout)]byte
}

// append appends the time to dst.
func (c *clock) append(dst []byte, now time.Time) []byte { return append(dst, c.at(now).text[:]...) }

// appendISO appends the time to dst, with milliseconds.
func (c *clock) appendISO(dst []byte, now time.Time) []byte {
	s := c.at(now)
	ms := now.Nanosecond() / int(time.Millisecond)
	dst = append(dst, s.iso[:]...)
	dst = append(dst, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
	return append(dst, s.zone[:]...)
}

// at returns the formatted texts of a second. If two goroutines race at the
// start of a second, both format it; the result is the same.
func (c *clock) at(now time.Time) *stamp {
	second := now.Unix()
	if s := c.last.Load(); s != nil && s.second == second {
		return s
	}
	s := &stamp{second: second}
	now.AppendFormat(s.text[:0], timeLayout)
	now.AppendFormat(s.iso[:0], isoLayout)
	now.AppendFormat(s.zone[:0], zoneLayout)
	c.last.Store(s)
	return s
}
