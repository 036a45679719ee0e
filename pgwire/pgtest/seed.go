package pgtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

// seed is the folder that clusters are copied from, because initdb takes most of the time that a
// start takes.
var seed struct {
	sync.Mutex
	home *Cluster // has the folder and removes it
	made bool
}

// createFromSeed makes the data of a cluster a copy of the seed. The first cluster makes the seed, and
// others wait for it.
func createFromSeed(ctx context.Context, c *pgcluster.Cluster) error {
	seed.Lock()
	if seed.home == nil {
		home := &Cluster{}
		var err error
		if home.dir, err = os.MkdirTemp("", "pgtest-seed"); err == nil {
			err = home.watchOver()
		}
		if err != nil {
			seed.Unlock()
			return err
		}
		seed.home = home
	}
	path := filepath.Join(seed.home.dir, "data")
	if seed.made {
		seed.Unlock()
		return copyTree(path, c.DataDir(), nil)
	}
	defer seed.Unlock()
	if err := c.Initdb(ctx); err != nil {
		return err
	}
	if err := copyTree(c.DataDir(), path, nil); err != nil {
		return errors.Join(err, os.RemoveAll(path))
	}
	seed.made = true
	return nil
}
