package clients

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"sync"
)

// unixListener listens on a unix socket. Close removes the file, unless another
// process has put its own socket there.
type unixListener struct {
	*net.UnixListener
	path string
	file fs.FileInfo
	once sync.Once
}

// ListenUnix listens on a unix socket at path. It replaces a socket that is there,
// of an earlier process or of one about to end, but no other file. The socket
// appears in one step and with its mode (permission bits), so that the path is
// never missing and never open to others.
func ListenUnix(path string, mode uint32) (net.Listener, error) {
	if old, err := os.Lstat(path); err == nil && old.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("%s is in the way: it is not a socket; remove it, or choose another path", path)
	}
	made := path + "." + strconv.Itoa(os.Getpid())
	l, err := bindUnix(made)
	if err != nil { // that name may be too long for a socket
		made = path
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		if l, err = bindUnix(path); err != nil {
			return nil, err
		}
	}
	u := &unixListener{UnixListener: l, path: path}
	if err = os.Chmod(made, fs.FileMode(mode)); err == nil && made != path {
		err = os.Rename(made, path)
	}
	if err == nil {
		u.file, err = os.Lstat(path)
	}
	if err != nil {
		_ = os.Remove(made)
		l.Close()
		return nil, err
	}
	return u, nil
}

func bindUnix(path string) (*net.UnixListener, error) {
	_ = os.Remove(path) // of an earlier process with the same id
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		l.SetUnlinkOnClose(false)
	}
	return l, err
}

func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *unixListener) Close() error {
	l.unlink()
	return l.UnixListener.Close()
}

// unlink removes the file.
func (l *unixListener) unlink() {
	l.once.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.file) {
			_ = os.Remove(l.path)
		}
	})
}
