package pgcluster

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// attributes of the server process: a separate process group, so that Ctrl-C at a terminal reaches
// only us and we decide when the database stops; and a fast shutdown if we die first.
func attributes(a *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential(), Setpgid: true, Pdeathsig: syscall.SIGINT}
}

// worksIn reports whether the process lives and has the folder as its working directory, as a
// postmaster has its data folder. The system may have reused the process id.
func worksIn(pid int, dir string) bool {
	cwd, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(dir)
	return err == nil && cwd == real
}
