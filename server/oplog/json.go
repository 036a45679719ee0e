package oplog

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// In the JSON format each line is an object that starts with "time" and
// "level". A request has all members that appendAccess writes; a missing value
// is null. A diagnostic has "message", "error" (the object that a client would
// get for the same failure) or both, and "request_id" if a request caused it. A
// statement of log-query has "status" and "sql".

var levelNames = [...]string{Crit: "crit", Error: "error", Warn: "warn", Info: "info", Debug: "debug"}

// beginJSON is begin for the JSON format.
func (l *Logger) beginJSON(level Level) (dst []byte) {
	now := l.now()
	l.err.mu.Lock()
	return l.appendOpening(l.err.buf, now, level)
}

func (l *Logger) appendOpening(dst []byte, now time.Time, level Level) []byte {
	dst = append(dst, `{"time":"`...)
	dst = l.clock.appendISO(dst, now)
	dst = append(dst, `","level":"`...)
	return append(append(dst, levelNames[level]...), '"')
}

// endJSON ends the line dst, which beginJSON returned.
func (l *Logger) endJSON(dst, id []byte) {
	if len(id) > 0 {
		dst = jsontext.AppendString(append(dst, `,"request_id":`...), id)
	}
	l.end(append(dst, '}'))
}

// appendMessage appends a text made of parts. It trims the space that separates
// a text from its error object in the text format.
func appendMessage(dst []byte, parts []string) []byte {
	dst = append(dst, `,"message":"`...)
	for i, p := range parts {
		if i == len(parts)-1 {
			p = strings.TrimRight(p, " \n")
		}
		dst = appendInside(dst, p)
	}
	return append(dst, '"')
}

// appendInside appends s as part of a JSON string: escaped, without quotes. The
// opening quote of the encoder overwrites the byte before, which is then
// restored.
func appendInside(dst []byte, s string) []byte {
	at := len(dst) - 1
	last := dst[at]
	dst = jsontext.AppendString(dst[:at], s)
	dst[at] = last
	return dst[:len(dst)-1]
}

// accessLevel returns the severity of a response.
func accessLevel(status int) Level {
	switch {
	case status >= 500:
		return Error
	case status >= 400:
		return Warn
	}
	return Info
}

// appendAccess appends a request.
func (l *Logger) appendAccess(dst []byte, now time.Time, a *Access) []byte {
	dst = l.appendOpening(dst, now, accessLevel(a.Status))
	dst = jsontext.AppendString(append(dst, `,"request_id":`...), a.ID)
	dst = appendClient(append(dst, `,"client":`...), a.Remote)
	dst = appendOptional(append(dst, `,"role":`...), a.Role)
	dst = jsontext.AppendString(append(dst, `,"method":`...), a.Method)
	dst = jsontext.AppendString(append(dst, `,"route":`...), a.Route)
	dst = jsontext.AppendString(append(dst, `,"target":`...), a.Target)
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(a.Status), 10)
	dst = appendOptional(append(dst, `,"code":`...), a.Code)
	dst = append(dst, `,"bytes":`...)
	if a.Length < 0 {
		dst = append(dst, "null"...)
	} else {
		dst = strconv.AppendInt(dst, a.Length, 10)
	}
	dst = strconv.AppendBool(append(dst, `,"truncated":`...), a.Truncated)
	dst = appendMillis(append(dst, `,"total_ms":`...), a.Total)
	if a.UsedDatabase {
		dst = appendMillis(append(dst, `,"database_ms":`...), a.Database)
		dst = appendMillis(append(dst, `,"pool_wait_ms":`...), a.Waited)
	} else {
		dst = append(dst, `,"database_ms":null,"pool_wait_ms":null`...)
	}
	dst = appendOptional(append(dst, `,"referer":`...), a.Referer)
	dst = appendOptional(append(dst, `,"user_agent":`...), a.UserAgent)
	if a.Node != "" {
		dst = jsontext.AppendString(append(dst, `,"node":`...), a.Node)
	}
	return append(dst, '}')
}

func appendOptional[T string | []byte](dst []byte, text T) []byte {
	if len(text) == 0 {
		return append(dst, "null"...)
	}
	return jsontext.AppendString(dst, text)
}

func appendClient(dst []byte, addr net.Addr) []byte {
	at := len(dst)
	dst = appendRemote(append(dst, '"'), addr)
	if string(dst[at:]) == `"-` {
		return append(dst[:at], "null"...)
	}
	return append(dst, '"')
}

// appendMillis appends a duration in milliseconds with three decimals.
func appendMillis(dst []byte, d time.Duration) []byte {
	us := max(d, 0).Microseconds()
	dst = strconv.AppendInt(dst, us/1000, 10)
	frac := us % 1000
	return append(dst, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
}
