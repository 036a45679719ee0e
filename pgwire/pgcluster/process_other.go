//go:build !linux

package pgcluster

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// attributes of the server process: its own process group, so that Ctrl-C at a terminal reaches
// only us and we decide when the database goes.
func attributes(a *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential(), Setpgid: true}
}

// worksIn reports whether the process lives and is a postmaster on the folder. A process id
// alone proves nothing: it may have been given away.
func worksIn(pid int, dir string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), dir)
}
