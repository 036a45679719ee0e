package server

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/fastgrest/fastgrest/server/spool"
)

// TestParkingNeedsNoDescriptor: the first idle client is parked although there
// are no descriptors left.
func TestParkingNeedsNoDescriptor(t *testing.T) {
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
		s.eventually("idle", func() bool { conn := s.first(); return conn != nil && conn.settle(0) })
		s.parked(1)
	}()
	if err := c.ask("/a", "b", nil); err != nil {
		t.Errorf("an idle client: %v", err)
	}
}

// TestIdleClientsThatCannotBeParked: they are served on.
func TestIdleClientsThatCannotBeParked(t *testing.T) {
	s := startIdle(t, "tcp", 1)
	s.l.clients.lot.ready.close()
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

// first is one of the connections that are not parked, nil without any.
func (s *idleTest) first() *clientConn {
	s.l.clients.mu.Lock()
	defer s.l.clients.mu.Unlock()
	for _, c := range s.l.clients.all {
		return c
	}
	return nil
}

// TestNoRoomTellsNoPath: which file is full is for the operator.
func TestNoRoomTellsNoPath(t *testing.T) {
	err := fmt.Errorf("%w: %w", spool.ErrFull, &fs.PathError{Op: "write", Path: "/var/spool/fastgrest-1", Err: syscall.ENOSPC})
	p := problemOf(err, false)
	if p.status != 507 || strings.Contains(p.details, "/var") || !strings.Contains(p.details, "no space left") {
		t.Errorf("%+v", p)
	}
}
