package pgtest

import (
	"os"
	"path/filepath"
	"sync"
)

// seed is the folder that clusters are copied from, because initdb takes most of the time that a
// start takes.
var seed struct {
	sync.Mutex
	home *Cluster // has the folder and removes it
	made bool
}

// seedFolder returns the seed's path. The first cluster makes the seed, and others wait until done
// is called.
func seedFolder() (path string, done func(), err error) {
	seed.Lock()
	if seed.home == nil {
		home := &Cluster{}
		if home.dir, err = os.MkdirTemp("", "pgtest-seed"); err == nil {
			err = home.watchOver()
		}
		if err != nil {
			seed.Unlock()
			return "", nil, err
		}
		seed.home = home
	}
	path = filepath.Join(seed.home.dir, "data")
	if seed.made {
		seed.Unlock()
		return path, func() {}, nil
	}
	return path, func() {
		_, err := os.Stat(path)
		seed.made = err == nil
		seed.Unlock()
	}, nil
}
