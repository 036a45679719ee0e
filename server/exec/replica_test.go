package exec

import (
	"context"
	"errors"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// TestOtherNode says after which errors of a replica a read runs on another node.
func TestOtherNode(t *testing.T) {
	f := func(err error, other, lost bool) {
		t.Helper()
		if o, l := OtherNode(err); o != other || l != lost {
			t.Errorf("%v: %v %v, want %v %v", err, o, l, other, lost)
		}
	}
	for kind, other := range map[pgwire.Kind]bool{
		pgwire.CannotConnect: true, pgwire.Lost: true, pgwire.Protocol: true, pgwire.Closed: true, pgwire.ResetFailed: true,
		pgwire.Canceled: false, pgwire.Unsendable: false, pgwire.NoResponse: false,
	} {
		f(&pgwire.ConnError{Kind: kind, Sent: true, Err: context.Canceled}, other, other)
	}
	for code, other := range map[string]bool{
		"25006": true, "0A000": true, "40001": true, "55000": true, "42P01": true, "42501": true, "22023": true, "53300": true, "57P05": true,
		"57014": false, "22P02": false, "23505": false, "P0001": false, "PT404": false, "PGRST": false,
	} {
		f(&pgwire.Error{Severity: "ERROR", Code: code}, other, false)
	}
	f(&pgwire.Error{Severity: "FATAL", Code: "57P01"}, true, true)
	f(pool.ErrSevered, true, true)
	for _, err := range []error{pool.ErrAcquireTimeout, pool.ErrTooManyWaiting, pool.ErrClosed, errUnreadable, &RowsError{}, errors.New("x")} {
		f(err, false, false)
	}
}
