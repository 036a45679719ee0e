package pgcluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A folder of ours holds:
//
//	.fastgrest-cluster   says that the folder may be deleted; locked while in use
//	stamp                present only after a clean stop of a sealed cluster
//	data/                what initdb made
//	log                  what postgres said
const (
	markName  = ".fastgrest-cluster"
	stampName = "stamp"
	dataName  = "data"
	logName   = "log"
)

// ErrInUse is wrapped by Start's error when another process has a cluster in the folder.
var ErrInUse = errors.New("another process is using it")

type folder struct {
	dir  string
	lock *os.File
}

// openFolder makes or enters the folder and takes its lock.
func openFolder(dir string, owner *account) (*folder, error) {
	fail := func(err error, hint string) (*folder, error) {
		return nil, &Error{Doing: "use the folder " + dir, Err: err, Hint: hint}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(err, "")
	}
	mark := filepath.Join(dir, markName)
	if _, err := os.Lstat(mark); err != nil {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fail(err, "")
		}
		if len(entries) > 0 {
			return fail(errors.New("it has other files in it"), "choose an empty or a new folder")
		}
	}
	lock, err := os.OpenFile(mark, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fail(err, "")
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return fail(ErrInUse, "stop that process or choose another folder")
	}
	f := &folder{dir: dir, lock: lock}
	if err := f.own(owner); err != nil {
		f.release()
		return fail(err, "")
	}
	return f, nil
}

// own hands the folder to the account the server will run as and makes sure that it can get there.
func (f *folder) own(owner *account) error {
	if err := os.Chmod(f.dir, 0o700); err != nil {
		return err
	}
	if owner == nil {
		return nil
	}
	if err := os.Chown(f.dir, owner.uid, owner.gid); err != nil {
		return err
	}
	return owner.canEnter(filepath.Dir(f.dir))
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// stamp returns the stamp of the last clean stop and removes it, so that a crash from here on
// leaves a folder that counts as incomplete.
func (f *folder) takeStamp() string {
	text, err := os.ReadFile(f.path(stampName))
	if err != nil || os.Remove(f.path(stampName)) != nil {
		return ""
	}
	return string(text)
}

func (f *folder) writeStamp(text string) error {
	return os.WriteFile(f.path(stampName), []byte(text), 0o644)
}

// clear removes everything except the mark, which stays locked.
func (f *folder) clear() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == markName {
			continue
		}
		if err := os.RemoveAll(f.path(entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) remove() error { return os.RemoveAll(f.dir) }

func (f *folder) release() { f.lock.Close() }

// endStale stops a server that an earlier process left running on the data. We hold the lock, so
// no other process uses that server.
func (f *folder) endStale() error {
	data := f.path(dataName)
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return nil // nothing was started, or it stopped by itself
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 || !worksIn(pid, data) {
		return nil
	}
	// SIGQUIT is PostgreSQL's immediate shutdown. Its data is about to be thrown away.
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
		if err := syscall.Kill(pid, sig); err != nil {
			return nil
		}
		for range 100 {
			if !worksIn(pid, data) {
				return nil
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return fmt.Errorf("the PostgreSQL with process id %d, left by an earlier run, does not stop", pid)
}
