package exec

import (
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

func TestParseTimeout(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "60000": time.Minute, "7s": 7 * time.Second, " 5 min ": 5 * time.Minute, "1.5h": 90 * time.Minute, "1d": 24 * time.Hour,
		"250ms": 250 * time.Millisecond, "100us": 100 * time.Microsecond, "1e3": time.Second,
		"": 0, "s": 0, "-1": 0, "5 minutes": 0, "5M": 0, "nan": 0, "inf": 0, "1e300d": 0, "99999999999": 0,
	} {
		if got := parseTimeout(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestFlightLimit: no flight is given up before its statement_timeout.
func TestFlightLimit(t *testing.T) {
	role := []catalog.Setting{{Name: "work_mem", Value: "1MB"}, {Name: "Statement_Timeout", Value: "20min"}}
	for _, test := range []struct {
		name     string
		settings []catalog.Setting
		session  time.Duration
		want     time.Duration
	}{
		{"no timeout", nil, 0, 0},
		{"short", nil, time.Minute, 0},
		{"just below", nil, 10 * time.Minute, 10*time.Minute + flightMargin},
		{"of the session", nil, time.Hour, time.Hour + flightMargin},
		{"of the role", role, time.Second, 20*time.Minute + flightMargin},
		{"turned off for the role", []catalog.Setting{{Name: "statement_timeout", Value: "0"}}, time.Hour, 0},
	} {
		timeout, ok := statementTimeout(test.settings)
		if !ok {
			timeout = test.session
		}
		if got := flightLimit(10*time.Minute, timeout); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
