package clients

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// deadlines counts the read deadlines of a connection.
type deadlines struct {
	net.Conn
	set int
}

func (c *deadlines) SetReadDeadline(time.Time) error {
	c.set++
	return nil
}

// TestPartTime: the time between two parts, in which the first one is inserted, is not
// the client's.
func TestPartTime(t *testing.T) {
	var (
		conn deadlines
		ctx  fasthttp.RequestCtx
		body Body
	)
	ctx.Init2(&conn, nil, false)
	ctx.Request.SetBodyStream(strings.NewReader("one,two,"), 8)
	body.Begin(&ctx, new(Bodies), Limits{Body: 100, Bodies: 1 << 20})
	defer body.Release()
	for i, want := range []string{"one,", "two,"} {
		part, end, err := body.Part(4, func() error { return nil })
		if string(part) != want || end != (i == 1) || err != nil || conn.set != i {
			t.Errorf("part %d: %q, %v, %v, %d deadlines", i, part, end, err, conn.set)
		}
	}
}
