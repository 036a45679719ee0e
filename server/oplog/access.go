package oplog

import (
	"encoding/binary"
	"net"
	"strconv"
	"time"
)

// Access describes one finished request. The logger keeps no slice after the
// call.
type Access struct {
	Remote    net.Addr // logged as "-" unless it is a TCP address
	Role      []byte   // empty if not authenticated; logged as "-"
	Method    []byte
	Target    []byte // path and query as the client sent them
	HTTP10    bool
	Status    int
	Length    int64 // bytes of the body, as the response states it; negative if it does not, logged as "-"
	Referer   []byte
	UserAgent []byte

	// For the JSON format only.
	ID           []byte
	Route        string        // route of the path, one of a limited number
	Code         string        // of an error: SQLSTATE or a PGRST code
	Total        time.Duration // from the request's head to its response
	UsedDatabase bool
	Database     time.Duration // until PostgreSQL had responded
	Waited       time.Duration // for a connection
	Node         string        // the database that served it; "" without read replicas
	Truncated    bool          // the client has not taken all of the body
}

// LogsStatus reports whether a response with this status is logged. A caller
// can use it to avoid filling an Access.
func (l *Logger) LogsStatus(status int) bool { return l.Level().logsStatus(status) }

// Access logs a request if the level includes its status. It does not allocate.
func (l *Logger) Access(a *Access) {
	if !l.LogsStatus(a.Status) {
		return
	}
	before, after := l.appendTo(&l.out, a)
	l.appended(&l.out, before, after)
}

func (l *Logger) appendTo(s *sink, a *Access) (before, after int) {
	now := l.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	before = len(s.buf)
	if l.JSON() {
		s.buf = l.appendAccess(s.buf, now, a)
	} else {
		s.buf = l.appendLine(s.buf, now, a)
	}
	s.buf = append(visible(s.buf, before), '\n')
	return before, len(s.buf)
}

// appendLine appends a request in the common log format.
func (l *Logger) appendLine(dst []byte, now time.Time, a *Access) []byte {
	dst = appendRemote(dst, a.Remote)
	dst = append(dst, " - "...)
	if len(a.Role) == 0 {
		dst = append(dst, '-')
	}
	dst = appendWord(dst, a.Role)
	dst = append(dst, " ["...)
	dst = l.clock.append(dst, now)
	dst = append(dst, `] "`...)
	dst = appendField(dst, a.Method)
	dst = append(dst, ' ')
	dst = appendField(dst, a.Target)
	if a.HTTP10 {
		dst = append(dst, ` HTTP/1.0" `...)
	} else {
		dst = append(dst, ` HTTP/1.1" `...)
	}
	dst = strconv.AppendInt(dst, int64(a.Status), 10)
	dst = append(dst, ' ')
	if a.Length < 0 {
		dst = append(dst, '-')
	} else {
		dst = strconv.AppendInt(dst, a.Length, 10)
	}
	dst = append(dst, ` "`...)
	dst = appendField(dst, a.Referer)
	dst = append(dst, `" "`...)
	dst = appendField(dst, a.UserAgent)
	return append(dst, '"')
}

// appendRemote appends the client's address without its port. An IPv6 address
// has the form that PostgREST logs: eight groups without abbreviation, except
// for ::1 and addresses that embed IPv4. The address of a unix socket's client
// is "-".
func appendRemote(dst []byte, addr net.Addr) []byte {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || tcp == nil {
		return append(dst, '-')
	}
	if ip := tcp.IP.To4(); ip != nil {
		for i, b := range ip {
			if i > 0 {
				dst = append(dst, '.')
			}
			dst = strconv.AppendUint(dst, uint64(b), 10)
		}
		return dst
	}
	if len(tcp.IP) != net.IPv6len {
		return append(dst, '-')
	}
	if tcp.IP.IsLoopback() {
		return append(dst, "::1"...)
	}
	for i := 0; i < net.IPv6len; i += 2 {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = strconv.AppendUint(dst, uint64(binary.BigEndian.Uint16(tcp.IP[i:])), 16)
	}
	return dst
}
