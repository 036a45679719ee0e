//go:build !unix

package pgwire

import "net"

// socket is for systems where a socket can be asked to do what it can without
// waiting. Here we use net.Conn alone.
type socket struct{}

func newSocket(net.Conn) *socket { return nil }

func (*socket) write([]byte) (int, error) { return 0, nil }
func (*socket) read([]byte) (int, error)  { return 0, nil }
