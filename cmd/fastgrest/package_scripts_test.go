package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackageScripts: a service that can neither start nor stop does not keep a package from being
// installed or removed.
func TestPackageScripts(t *testing.T) {
	bin, systemd := t.TempDir(), t.TempDir()
	fake := "#!/bin/sh\ncase \"$1\" in try-restart | disable) exit 1 ;; esac\n"
	if err := os.WriteFile(filepath.Join(bin, "systemctl"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ script, arg, says string }{
		{"postinstall.sh", "configure", "journalctl -u fastgrest"},
		{"preremove.sh", "remove", "cannot be stopped"},
		{"postremove.sh", "remove", ""},
	} {
		text, err := os.ReadFile(filepath.Join("packaging", c.script))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(string(text), "/run/systemd/system", systemd), c.script, c.arg)
		cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin"}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%s %s: %v\n%s", c.script, c.arg, err, out)
		}
	}
}
