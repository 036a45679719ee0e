package spectest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRunCommand(t *testing.T) {
	t.Setenv("PGRST_LEAK", "1")
	t.Setenv("PGHOST", "leak")
	t.Setenv("TZ", "Asia/Tokyo")
	db := &database{name: "spec_1", port: "5433"}
	conf := "uri {{db_uri}}"
	c := &Command{
		Args:   []string{"-c", `cat "$0" x; echo; pwd; echo "$PGRST_LEAK$PGHOST $TZ $MINE {{db}} {{db_port}}"; echo error >&2; exit 3`, "{{config}}"},
		Env:    [][2]string{{"MINE", "{{dir}}/y"}},
		Config: &conf,
		Files:  [][2]string{{"x", "x of {{db}}"}},
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	got, err := runCommand("/bin/sh", dir, db, c)
	if err != nil {
		t.Fatal(err)
	}
	want := &Response{
		Exit:   3,
		Stdout: "uri postgresql://authenticator:festival_pw@127.0.0.1:{db_port}/{db}x of spec_1\n{dir}\n UTC {dir}/y spec_1 5433\n",
		Stderr: "error\n",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := runCommand(filepath.Join(dir, "nope"), t.TempDir(), db, &Command{}); err == nil {
		t.Error("no error for a program that does not exist")
	}
	if len(c.Files) != 1 {
		t.Error("the case was changed")
	}
	if _, err := os.Stat(filepath.Join(dir, "server.conf")); err != nil {
		t.Error(err)
	}
}
