package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

// following returns the setting that makes a standby a replica of another cluster.
func following(primary *Cluster) string {
	return "primary_conninfo = '" + strings.ReplaceAll(primary.server.URI("", Superuser), "'", "''") + "'"
}

// backUp makes the data of a cluster a copy of a running one's, marked as a standby. It uses the
// functions for a backup, which every server has: packages with the server programs alone lack
// pg_basebackup.
func backUp(ctx context.Context, primary, replica *pgcluster.Cluster) error {
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
	from, to := primary.DataDir(), replica.DataDir()
	if err := copyTree(from, to, skipped); err != nil {
		return err
	}
	results, err := conn.Exec(ctx, "select labelfile from "+end).ReadAll()
	if err != nil {
		return err
	}
	if err := copyTree(filepath.Join(from, walName), filepath.Join(to, walName), nil); err != nil {
		return err
	}
	return errors.Join(writeFile(to, "backup_label", results[0].Rows[0][0]), writeFile(to, "standby.signal", nil))
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
func copyTree(from, to string, skip func(path string) bool) error {
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
			return own(target)
		case entry.Type().IsRegular():
			if err := copyFile(path, target); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}
		return fmt.Errorf("%s is neither a file nor a folder", path) // a tablespace
	})
}

func copyFile(from, to string) error {
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
	return errors.Join(err, target.Close(), own(to))
}

// writeFile writes a file that only the server can read.
func writeFile(folder, name string, content []byte) error {
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	return own(path)
}

// own gives a file or folder to the account that owns the folder around it. Only root can do so, and
// only for root the server runs under another account.
func own(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}
