package clients

import (
	"math"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// dropSYN has the kernel drop the segments that would begin a connection with a
// listener. Segments of connections that have begun pass. It reports whether that
// succeeded: some systems allow it to root only.
func dropSYN(l net.Listener) bool {
	sc, ok := l.(*net.TCPListener)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	// The filter sees a segment from its TCP header on: byte 13 has the flags.
	const syn, ack = 0x02, 0x10
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: math.MaxUint32},
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), syscall.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	})
	return err == nil && failed == nil
}
