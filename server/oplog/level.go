package oplog

// Level says how much is logged. The order, from quiet to verbose, is the
// order of config.LogLevel, so that one converts to the other.
type Level uint8

const (
	Crit Level = iota
	Error
	Warn
	Info
	Debug
)

// lowestStatus is the first HTTP status whose access line a level lets
// through; 1000 is beyond them all.
var lowestStatus = [...]int{Crit: 1000, Error: 500, Warn: 400, Info: 0, Debug: 0}

// logsStatus reports whether an answer with this status is logged.
func (l Level) logsStatus(status int) bool {
	return int(l) < len(lowestStatus) && status >= lowestStatus[l]
}
