package clients

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestIdleListNeedsNoDescriptor: the first idle connection is moved although there
// are no descriptors left.
func TestIdleListNeedsNoDescriptor(t *testing.T) {
	s := startIdle(t, "tcp", 1<<30)
	c := s.dial()
	if err := c.ask("/a", "b", nil); err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := unix.Rlimit{Cur: 0, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Skip(err)
	}
	func() {
		defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit) }()
		s.eventually("idle", func() bool { conn := s.first(); return conn != nil && conn.wakeIfIdle(0) })
		s.idle(1)
	}()
	if err := c.ask("/a", "b", nil); err != nil {
		t.Errorf("an idle client: %v", err)
	}
}

// TestIdleListFails: connections that cannot be moved are served on.
func TestIdleListFails(t *testing.T) {
	s := startIdle(t, "tcp", 1)
	s.list.epoll.close()
	c := s.dial()
	if err := c.ask("/a", "b", nil); err != nil {
		t.Fatal(err)
	}
	before := s.first()
	s.eventually("another connection on its socket", func() bool { now := s.first(); return now != nil && now != before })
	if err := c.ask("/a", "b", nil); err != nil {
		t.Errorf("an idle client: %v", err)
	}
}

// first returns a connection that is not idle, nil without any.
func (s *idleTest) first() *conn {
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	for _, c := range s.conns.all {
		return c
	}
	return nil
}
