//go:build !linux

package spool

import "net"

// limitUnsent does nothing: only Linux has TCP_NOTSENT_LOWAT for it.
func limitUnsent(net.Conn) {}
