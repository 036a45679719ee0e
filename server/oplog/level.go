package oplog

// Level is the verbosity of the log. The values are those of config.LogLevel,
// from quiet to verbose, so that one converts to the other.
type Level uint8

const (
	Crit Level = iota
	Error
	Warn
	Info
	Debug
)

// lowestStatus is the lowest HTTP status whose access line a level logs. No
// status reaches 1000.
var lowestStatus = [...]int{Crit: 1000, Error: 500, Warn: 400, Info: 0, Debug: 0}

// logsStatus reports whether a response with this status is logged.
func (l Level) logsStatus(status int) bool {
	return int(l) < len(lowestStatus) && status >= lowestStatus[l]
}
