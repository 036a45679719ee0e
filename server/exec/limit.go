package exec

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// PostgreSQL ends a statement at statement_timeout and says so. The time after
// which a flight is given up (db-flight-timeout) must not come before that.

// flightMargin is the time for the report of a statement's timeout to arrive.
const flightMargin = 30 * time.Second

// flightLimit returns the limit of a flight under a statement_timeout, 0 for
// the usual limit. A statement_timeout of 0 means that there is no timeout.
func flightLimit(usual, statementTimeout time.Duration) time.Duration {
	if limit := statementTimeout + flightMargin; statementTimeout > 0 && limit > usual {
		return limit
	}
	return 0
}

// flightLimit returns the limit of a flight that runs the call's plan.
func (x *Execution) flightLimit() time.Duration {
	if routine := x.call.Plan.Routine; routine != nil {
		if timeout, ok := statementTimeout(routine.Settings); ok {
			return flightLimit(x.rules.flightTimeout, timeout)
		}
	}
	return x.role.flightLimit
}

// statementTimeout returns the statement_timeout among settings.
func statementTimeout(settings []catalog.Setting) (timeout time.Duration, ok bool) {
	for _, s := range settings {
		if strings.EqualFold(s.Name, "statement_timeout") {
			return parseTimeout(s.Value), true
		}
	}
	return 0, false
}

// timeoutUnits are PostgreSQL's units of time, and the one of a plain number.
var timeoutUnits = map[string]time.Duration{
	"": time.Millisecond, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// parseTimeout reads a timeout as PostgreSQL does: a number, of milliseconds or
// with a unit. It is 0 for text it cannot read.
func parseTimeout(text string) time.Duration {
	text = strings.TrimSpace(text)
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	unit, known := timeoutUnits[text[len(number):]]
	if !known {
		return 0
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if d := n * float64(unit); err == nil && d > 0 && d < math.MaxInt32*float64(time.Millisecond) {
		return time.Duration(d)
	}
	return 0
}
