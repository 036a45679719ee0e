package server

import (
	"errors"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// Errors that end the process.

// loggedError is an error whose text is in the log already.
type loggedError struct{ error }

func (e loggedError) Unwrap() error { return e.error }

// Logged reports whether the log has the text of an error of Run, so that it
// need not be written once more.
func Logged(err error) bool { return errors.As(err, new(loggedError)) }

// giveUp ends the process, and reports true, if the configuration does not allow
// it to wait for a database that cannot be reached.
func (s *Server) giveUp(err error) bool {
	if s.config().DBPoolAutomaticRecovery {
		return false
	}
	s.fatalOnce.Do(func() {
		s.log.NoRecovery()
		s.die(err)
	})
	return true
}

// die ends the process for a reason.
func (s *Server) die(err error) {
	select {
	case s.fatal <- err:
	default: // an earlier reason ends it
	}
}

// checkFatal ends the process on errors that waiting cannot cure, and reports
// whether err is one. ours: the statement was one of our own.
func (s *Server) checkFatal(err error, ours bool) bool {
	why, fatal := fatalReason(err, ours)
	if fatal {
		s.fatalOnce.Do(func() {
			s.log.FatalError(why, problemText(err))
			s.die(loggedError{err})
		})
	}
	return fatal
}

func fatalReason(err error, ours bool) (oplog.Fatal, bool) {
	var server *pgwire.Error
	if !errors.As(err, &server) {
		var unread *catalog.Error
		// The rows are not those that the query asks for.
		return oplog.FatalBug, ours && errors.As(err, &unread) && !errors.As(err, new(*pgwire.ConnError))
	}
	switch server.Code {
	case pgwire.InvalidPassword:
		var conn *pgwire.ConnError
		return oplog.FatalAuth, errors.As(err, &conn) && conn.Kind == pgwire.CannotConnect
	case pgwire.DuplicatePreparedStatement:
		// Raised by the server itself, not by a function (RAISE, PREPARE).
		return oplog.FatalTransactionPooler, server.Routine == "StorePreparedStatement" && server.Where == ""
	case pgwire.ProtocolViolation:
		// In the words of PgBouncer, which are never translated.
		return oplog.FatalStatementPooler, server.Message == "transaction blocks not allowed in statement pooling mode"
	case pgwire.SyntaxError:
		return oplog.FatalBug, ours
	}
	return 0, false
}

// problemText is an error as PostgREST logs it: the object a client would get.
func problemText(err error) string {
	return string(problemOf(err, false).appendJSON(nil, config.Verbose))
}
