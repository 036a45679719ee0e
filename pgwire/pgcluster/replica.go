package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// follow makes the cluster a replica of another as of its next start, if it is marked as a standby.
func (c *Cluster) follow(primary *Cluster) {
	c.settings = append(slices.Clip(c.settings), "primary_conninfo = '"+strings.ReplaceAll(primary.URI("", Superuser), "'", "''")+"'")
}

// Demote makes a cluster that Halt has stopped in good order a replica of the one that took over
// from it, as of the next Resume.
func (c *Cluster) Demote(primary *Cluster) error {
	c.follow(primary)
	if err := c.writeData("standby.signal", ""); err != nil {
		return &Error{Doing: "make a replica", Err: err}
	}
	return nil
}

// copyFrom makes our data a copy of a running cluster's, marked as a standby. It uses the functions
// for a backup, which every server has: packages with the server programs alone lack pg_basebackup.
func (c *Cluster) copyFrom(ctx context.Context, primary *Cluster) error {
	if err := c.backup(ctx, primary); err != nil {
		return &Error{Doing: "copy a database cluster", Err: err}
	}
	return nil
}

func (c *Cluster) backup(ctx context.Context, primary *Cluster) error {
	conn, err := pgconn.Connect(ctx, primary.URI("postgres", Superuser))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	begin, end := "pg_backup_start('copy', true)", "pg_backup_stop(false)"
	if primary.Programs.Major < 15 {
		begin, end = "pg_start_backup('copy', true, false)", "pg_stop_backup(false, false)"
	}
	if _, err := conn.Exec(ctx, "select "+begin).ReadAll(); err != nil {
		return err
	}
	from, to := primary.folder.path(dataName), c.folder.path(dataName)
	if err := c.copyTree(from, to, skipped); err != nil {
		return err
	}
	results, err := conn.Exec(ctx, "select labelfile from "+end).ReadAll()
	if err != nil {
		return err
	}
	if err := c.copyTree(filepath.Join(from, walName), filepath.Join(to, walName), nil); err != nil {
		return err
	}
	return errors.Join(c.writeData("backup_label", string(results[0].Rows[0][0])), c.writeData("standby.signal", ""))
}

// walName is copied when the backup has ended, because recovery needs the WAL up to there.
const walName = "pg_wal"

// skipped reports whether a copy must omit a path of the data folder. Of a folder it omits only the
// contents.
func skipped(path string) bool {
	switch filepath.Dir(path) {
	case walName, "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans":
		return true
	}
	name := filepath.Base(path)
	return strings.HasPrefix(name, "postmaster.") || strings.HasPrefix(name, "pg_internal.init") || strings.HasPrefix(name, "pgsql_tmp")
}

// copyTree copies a folder of a running server. Files that are removed meanwhile may be missing.
func (c *Cluster) copyTree(from, to string, skip func(path string) bool) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != from {
			return nil
		}
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, inside)
		switch {
		case inside != "." && skip != nil && skip(inside):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			if err := os.Mkdir(target, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			return c.own(target)
		case entry.Type().IsRegular():
			if err := c.copyFile(path, target); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}
		return fmt.Errorf("%s is neither a file nor a folder", path) // a tablespace
	})
}

func (c *Cluster) copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close(), c.own(to))
}

// writeData writes a file into the data folder.
func (c *Cluster) writeData(name, text string) error {
	path := filepath.Join(c.folder.path(dataName), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return c.own(path)
}

// own gives a file or folder to the account that runs the server.
func (c *Cluster) own(path string) error {
	if c.who == nil {
		return nil
	}
	return os.Chown(path, c.who.uid, c.who.gid)
}
