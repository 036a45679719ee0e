package pgcluster

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// attributes of the server process: its own process group, so that Ctrl-C at a terminal reaches
// only us and we decide when the database goes; and a fast shutdown should we die first.
func attributes(a *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential(), Setpgid: true, Pdeathsig: syscall.SIGINT}
}

// worksIn reports whether the process lives and has the folder as its working directory, as a
// postmaster has its data folder. A process id alone proves nothing: it may have been given away.
func worksIn(pid int, dir string) bool {
	cwd, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(dir)
	return err == nil && cwd == real
}
