package pgcluster

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the account that runs the server programs if we are root. nil is our own account.
type account struct {
	name     string
	uid, gid int
}

// runAs returns the account: ours, unless we are root, as which PostgreSQL refuses to run.
func runAs() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil && uid != 0 {
			return &account{name: name, uid: uid, gid: gid}, nil
		}
	}
	return nil, &Error{Doing: "run PostgreSQL", Err: errors.New("it refuses to run as root, and there is no user postgres or nobody"),
		Hint: "run this as an ordinary user"}
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

// canEnter checks every folder up to the root of the file system. PostgreSQL's own error names
// only the last folder, but the closed one is usually further up (/root).
func (a *account) canEnter(dir string) error {
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		mode := info.Mode().Perm()
		if ok && mode&0o001 == 0 && !(int(stat.Uid) == a.uid && mode&0o100 != 0) && !(int(stat.Gid) == a.gid && mode&0o010 != 0) {
			return fmt.Errorf("the user %s, who has to run PostgreSQL, may not enter %s", a.name, dir)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		dir = parent
	}
}
