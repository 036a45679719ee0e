package server

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/config"
)

// PostgreSQL ends a statement at statement_timeout and says so. The time after
// which a flight is given up (db-flight-timeout) must not come before that.

// flightMargin is the time for the answer that a statement has timed out to arrive.
const flightMargin = 30 * time.Second

// errUnanswered is what becomes of a request whose flight was given up.
var errUnanswered = newProblem(504, "PGRSTX09", "The database did not answer in time.")

// flightLimit is the limit of a flight under a statement_timeout, 0 for the usual
// one. 0 as statement_timeout is none.
func flightLimit(usual, statementTimeout time.Duration) time.Duration {
	if limit := statementTimeout + flightMargin; statementTimeout > 0 && limit > usual {
		return limit
	}
	return 0
}

// statementTimeout is the role's, or else what sessions begin with.
func statementTimeout(settings []config.Setting, session time.Duration) time.Duration {
	for _, s := range settings {
		if strings.EqualFold(s.Name, statementTimeoutSetting) {
			return parseTimeout(s.Value)
		}
	}
	return session
}

const statementTimeoutSetting = "statement_timeout"

// flightLimit is the limit of a flight that runs the plan.
func (rq *request) flightLimit(plan *planner.Plan) time.Duration {
	if plan.Routine != nil {
		for _, s := range plan.Routine.Settings {
			if strings.EqualFold(s.Name, statementTimeoutSetting) {
				return flightLimit(rq.snap.config.DBFlightTimeout, parseTimeout(s.Value))
			}
		}
	}
	return rq.snap.forRole(rq.identity.Role).flightLimit
}

// timeoutUnits are PostgreSQL's units of time.
var timeoutUnits = map[string]time.Duration{
	"us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// parseTimeout reads a timeout as PostgreSQL does: a number, of milliseconds or
// with a unit. It is 0 for what it cannot read.
func parseTimeout(text string) time.Duration {
	text = strings.TrimSpace(text)
	end := len(text)
	for end > 0 && (text[end-1] >= 'a' && text[end-1] <= 'z') {
		end--
	}
	unit := time.Millisecond
	if end < len(text) {
		var known bool
		if unit, known = timeoutUnits[text[end:]]; !known {
			return 0
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text[:end]), 64)
	if d := n * float64(unit); err == nil && d > 0 && d < math.MaxInt32*float64(time.Millisecond) {
		return time.Duration(d)
	}
	return 0
}
