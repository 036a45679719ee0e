package main

import (
	"math"

	"golang.org/x/sys/unix"
)

// takesFilters reports whether the kernel lets us drop what would begin a
// connection with a closing process. Some let root only.
func takesFilters() bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	all := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: math.MaxUint32}}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &all[0]}) == nil
}
