package server

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const canPark = true

// readiness waits for any of many sockets, each of which it tells of once. An
// epoll set can itself be waited for, by Go's own: no thread is blocked.
type readiness struct {
	file   *os.File
	raw    syscall.RawConn
	events [256]unix.EpollEvent
}

func newReadiness() (*readiness, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or os.File would not wait
		_ = unix.Close(fd)
		return nil, err
	}
	p := &readiness{file: os.NewFile(uintptr(fd), "epoll")}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		_ = p.file.Close()
		return nil, err
	}
	return p, nil
}

// add begins to wait for a socket, once more if it has been told of before.
func (p *readiness) add(fd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(fd)}
	var failed error
	err := p.raw.Control(func(epoll uintptr) {
		failed = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, fd, &event)
		if failed == unix.EEXIST {
			failed = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_MOD, fd, &event)
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// wait appends the sockets that have something to read, or have ended.
func (p *readiness) wait(fds []int) ([]int, error) {
	var n int
	var failed error
	err := p.raw.Read(func(epoll uintptr) bool {
		n, failed = unix.EpollWait(int(epoll), p.events[:], 0)
		if failed == unix.EINTR {
			n, failed = 0, nil
		}
		return n > 0 || failed != nil
	})
	if err == nil {
		err = failed
	}
	for i := range p.events[:max(0, n)] {
		fds = append(fds, int(p.events[i].Fd))
	}
	return fds, err
}

func (p *readiness) close() { _ = p.file.Close() }
