//go:build !unix

package socket

import "net"

// Socket is not available on this system: only net.Conn is used.
type Socket struct{}

// New returns nil.
func New(net.Conn) *Socket { return nil }

func (*Socket) Read([]byte) (int, error)           { return 0, net.ErrClosed }
func (*Socket) Write([]byte) (int, error)          { return 0, net.ErrClosed }
func (*Socket) WriteBoth(_, _ []byte) (int, error) { return 0, net.ErrClosed }
func (*Socket) ReadNow([]byte) (int, error)        { return 0, net.ErrClosed }
func (*Socket) WriteNow([]byte) (int, error)       { return 0, net.ErrClosed }
