package spool

import (
	"net"

	"golang.org/x/sys/unix"
)

// limitUnsent makes the socket writable again as soon as fewer than 2*Piece bytes wait
// to be sent (TCP_NOTSENT_LOWAT, tcp(7)). Without it Linux reports the socket writable
// when a third of the send buffer is free, which is more than a megabyte. A client that
// takes 20 KB each second would be cut off after half a minute, for taking nothing.
func limitUnsent(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, 2*Piece) })
	}
}
