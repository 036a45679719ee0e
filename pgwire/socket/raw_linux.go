//go:build linux && !race

package socket

import (
	"syscall"
	"unsafe"
)

func read(fd int, b, _ []byte) (int, error) {
	return call(syscall.SYS_READ, fd, unsafe.Pointer(unsafe.SliceData(b)), len(b))
}

func write(fd int, a, b []byte) (int, error) {
	if len(b) == 0 {
		return call(syscall.SYS_WRITE, fd, unsafe.Pointer(unsafe.SliceData(a)), len(a))
	}
	parts := [2]syscall.Iovec{{Base: unsafe.SliceData(a)}, {Base: unsafe.SliceData(b)}}
	parts[0].SetLen(len(a))
	parts[1].SetLen(len(b))
	return call(syscall.SYS_WRITEV, fd, unsafe.Pointer(&parts), len(parts))
}

func call(number uintptr, fd int, data unsafe.Pointer, n int) (int, error) {
	done, _, failed := syscall.RawSyscall(number, uintptr(fd), uintptr(data), uintptr(n))
	if failed != 0 {
		return 0, failed
	}
	return int(done), nil
}
