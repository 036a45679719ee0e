package main

import (
	"runtime/debug"
	"testing"
)

func TestShownVersion(t *testing.T) {
	f := func(stamp, module, want string) {
		t.Helper()
		build := func() (*debug.BuildInfo, bool) {
			return &debug.BuildInfo{Main: debug.Module{Version: module}}, module != ""
		}
		if got := shownVersion(stamp, build); got != want {
			t.Errorf("stamp %q, module %q: got %s, want %s", stamp, module, got, want)
		}
	}
	f("v0.9.0", "(devel)", "0.9.0")
	f("v0.9.0-3-gabcdef1-dirty", "(devel)", "0.9.0-3-gabcdef1-dirty")
	f("abcdef1", "(devel)", "abcdef1")
	f("vista", "", "vista")
	f("", "v0.9.0", "0.9.0")
	f("", "(devel)", "dev")
	f("", "", "dev")
}
