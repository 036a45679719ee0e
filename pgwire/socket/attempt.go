//go:build unix

package socket

import "syscall"

// attempt is a system call on the socket, and its result.
type attempt struct {
	bufs [2][]byte // the second one only of a write
	wait bool
	n    int
	err  error
	fn   func(fd uintptr) (done bool) // made once: a function with variables is an allocation
}

func (a *attempt) prepare(call func(fd int, a, b []byte) (int, error)) {
	a.fn = func(fd uintptr) bool {
		for {
			a.n, a.err = call(int(fd), a.bufs[0], a.bufs[1])
			if a.err != syscall.EINTR {
				return !a.wait || a.err != syscall.EAGAIN
			}
		}
	}
}

// run makes attempts until one is done. on is a method of RawConn, which calls fn again
// when the socket is ready. Its error comes before the one of the system call.
func (a *attempt) run(on func(func(fd uintptr) bool) error, first, second []byte, wait bool) (int, error) {
	a.bufs, a.wait, a.n, a.err = [2][]byte{first, second}, wait, 0, nil
	err := on(a.fn)
	a.bufs = [2][]byte{}
	if err == nil {
		err = a.err
	}
	return max(a.n, 0), err
}
