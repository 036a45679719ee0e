package clients

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// epoll waits for input on any of many sockets. Each socket is reported once. The
// set itself is polled by Go's runtime, so that waiting blocks no thread.
type epoll struct {
	file   *os.File
	raw    syscall.RawConn
	events [256]unix.EpollEvent
}

func newEpoll() (*epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or os.File would not wait
		_ = unix.Close(fd)
		return nil, err
	}
	e := &epoll{file: os.NewFile(uintptr(fd), "epoll")}
	if e.raw, err = e.file.SyscallConn(); err != nil {
		_ = e.file.Close()
		return nil, err
	}
	return e, nil
}

// add begins to wait for a socket, also if it has been reported before.
func (e *epoll) add(fd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(fd)}
	var failed error
	err := e.raw.Control(func(set uintptr) {
		failed = unix.EpollCtl(int(set), unix.EPOLL_CTL_ADD, fd, &event)
		if failed == unix.EEXIST {
			failed = unix.EpollCtl(int(set), unix.EPOLL_CTL_MOD, fd, &event)
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// wait appends the sockets that have something to read, or have ended.
func (e *epoll) wait(fds []int) ([]int, error) {
	var n int
	var failed error
	err := e.raw.Read(func(set uintptr) bool {
		n, failed = unix.EpollWait(int(set), e.events[:], 0)
		if failed == unix.EINTR {
			n, failed = 0, nil
		}
		return n > 0 || failed != nil
	})
	if err == nil {
		err = failed
	}
	for i := range e.events[:max(0, n)] {
		fds = append(fds, int(e.events[i].Fd))
	}
	return fds, err
}

func (e *epoll) close() { _ = e.file.Close() }
