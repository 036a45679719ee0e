package pgtest

import (
	"strconv"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

// FreePort returns a port on which no process listens on a loopback address. Other
// processes are unlikely to get it before the test listens.
func FreePort(tb testing.TB, host string) string {
	tb.Helper()
	port, err := pgcluster.FreePort(host)
	if err != nil {
		tb.Fatal(err)
	}
	return strconv.Itoa(port)
}
