package clients

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// pollPeers fills in the states of the peers.
func pollPeers(list []candidate) {
	fds := make([]unix.PollFd, len(list))
	for i := range list {
		fds[i] = unix.PollFd{Fd: int32(list[i].conn.fd), Events: unix.POLLRDHUP}
	}
	if _, err := unix.Poll(fds, 0); err != nil {
		return // the next check tries again
	}
	for i := range list {
		switch events := fds[i].Revents; {
		case events&unix.POLLNVAL != 0: // closed meanwhile
		case events&(unix.POLLHUP|unix.POLLERR) != 0:
			list[i].peer = peerGone
		case events&unix.POLLRDHUP != 0:
			list[i].peer = peerHalfClosed
		}
	}
}

// sendNow sends b if the socket takes it at once. It returns an error if the
// peer is gone.
func sendNow(raw syscall.RawConn, b []byte) (sent bool, err error) {
	var failed error
	if err := raw.Control(func(fd uintptr) {
		var n int
		n, failed = unix.SendmsgN(int(fd), b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		sent = n > 0
	}); err != nil {
		return false, nil // closed by this process
	}
	switch failed {
	case unix.EAGAIN, unix.EINTR:
		return false, nil
	}
	return sent, failed
}
