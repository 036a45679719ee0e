//go:build unix && (!linux || race)

package socket

import "syscall"

// The race detector learns from these calls what one goroutine has sent to another.

func read(fd int, b, _ []byte) (int, error) { return syscall.Read(fd, b) }

func write(fd int, a, b []byte) (int, error) {
	if len(a) == 0 {
		a = b
	}
	return syscall.Write(fd, a)
}
