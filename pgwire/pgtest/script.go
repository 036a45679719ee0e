package pgtest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Script is a server that sends what a test tells it to. Dial has the signature
// of pgconn.Config.DialFunc. Each connection gets the greeting and is then passed
// to the test's function.
type Script struct {
	// Plain makes connections by net.Pipe, which has the methods of net.Conn only,
	// rather than by a pair of sockets.
	Plain bool
	// Mute accepts connections and sends nothing, not even a greeting.
	Mute bool
	// Cancels receives the process numbers of cancel requests.
	Cancels chan uint32

	tb   testing.TB
	play func(*Session)

	mu    sync.Mutex
	conns []net.Conn
	ended bool // no more connections
	wg    sync.WaitGroup
}

// Session is one connection, seen from the server.
type Session struct {
	*pgproto3.Backend
	Conn net.Conn
	PID  uint32
}

// NewScript makes a server. play runs for each connection, after the
// greetings; when it returns, the connection is closed.
func NewScript(tb testing.TB, play func(*Session)) *Script {
	s := &Script{Cancels: make(chan uint32, 16), tb: tb, play: play}
	tb.Cleanup(func() {
		s.mu.Lock()
		s.ended = true
		for _, c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		s.wg.Wait()
	})
	return s
}

// Dial connects. After the test it fails: pgx sends a cancel request in the background when
// a connection is lost.
func (s *Script) Dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	if !s.Plain {
		var err error
		if client, server, err = socketPair(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		client.Close()
		server.Close()
		return nil, net.ErrClosed
	}
	s.conns = append(s.conns, server)
	pid := uint32(len(s.conns))
	s.wg.Go(func() {
		defer server.Close()
		session := &Session{pgproto3.NewBackend(server, server), server, pid}
		if s.Mute {
			_, _ = io.Copy(io.Discard, server)
		} else if session.greet(s.Cancels) == nil {
			s.play(session)
		}
	})
	return client, nil
}

var errCancel = errors.New("it was a cancel request")

func (s *Session) greet(cancels chan<- uint32) error {
	msg, err := s.ReceiveStartupMessage()
	if err != nil {
		return err
	}
	if cancel, ok := msg.(*pgproto3.CancelRequest); ok {
		cancels <- cancel.ProcessID
		return errCancel
	}
	return s.Say(
		&pgproto3.AuthenticationOk{},
		&pgproto3.ParameterStatus{Name: "server_version", Value: "15.3 (scripted)"},
		&pgproto3.BackendKeyData{ProcessID: s.PID, SecretKey: []byte{1, 2, 3, 4}},
		Ready('I'),
	)
}

// Say sends messages.
func (s *Session) Say(messages ...pgproto3.BackendMessage) error {
	for _, m := range messages {
		s.Send(m)
	}
	return s.Flush()
}

// Raw sends bytes.
func (s *Session) Raw(b []byte) error {
	_, err := s.Conn.Write(b)
	return err
}

// Hear receives messages up to a Sync or a simple query. It returns the type
// letters of the messages, or "" if the client has closed the connection. It answers the
// pings with which pgconn ends a startup on a slow machine.
func (s *Session) Hear() string {
	heard := ""
	for {
		msg, err := s.Receive()
		if err != nil {
			return ""
		}
		switch msg := msg.(type) {
		case *pgproto3.Parse:
			heard += "P"
		case *pgproto3.Bind:
			heard += "B"
		case *pgproto3.Describe:
			heard += "D"
		case *pgproto3.Execute:
			heard += "E"
		case *pgproto3.Close:
			heard += "C"
		case *pgproto3.Sync:
			return heard + "S"
		case *pgproto3.Query:
			if msg.String != "-- ping" {
				return heard + "Q"
			}
			if s.Say(&pgproto3.EmptyQueryResponse{}, Ready('I')) != nil {
				return ""
			}
		case *pgproto3.Terminate:
			return heard + "X"
		default:
			heard += "?"
		}
	}
}

// Ready returns a ReadyForQuery message with the given transaction status.
func Ready(state byte) *pgproto3.ReadyForQuery { return &pgproto3.ReadyForQuery{TxStatus: state} }
