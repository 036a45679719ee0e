//go:build !unix

package pgwire

import "net"

// socket is not available on this system: only net.Conn is used.
type socket struct{}

func newSocket(net.Conn) *socket { return nil }

func (*socket) write([]byte) (int, error) { return 0, nil }
func (*socket) read([]byte) (int, error)  { return 0, nil }
