package pgtest

import (
	"strconv"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

// FreePort is a port of a loopback address that nobody listens on, and that
// nobody gets by chance before the test has somebody listen.
func FreePort(tb testing.TB, host string) string {
	tb.Helper()
	port, err := pgcluster.FreePort(host)
	if err != nil {
		tb.Fatal(err)
	}
	return strconv.Itoa(port)
}
