//go:build !linux

package pgcluster

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// attributes of the server process: a separate process group, so that Ctrl-C at a terminal reaches
// only us and we decide when the database stops.
func attributes(a *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential(), Setpgid: true}
}

// worksIn reports whether the process lives and is a postmaster on the folder. The system may have
// reused the process id.
func worksIn(pid int, dir string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), dir)
}
