package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAudiences: the list of jwt-aud.
func TestAudiences(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		c, err := Load(LoadOptions{Env: []string{"PGRST_JWT_AUD=" + text}})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if diff := cmp.Diff(want, c.Audiences()); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	f("")
	f("api", "api")
	f("https://api.example.com", "https://api.example.com")
	f("a, https://b", "a", "https://b", "a, https://b")
	f("a,", "a", "a,")
	if _, err := Load(LoadOptions{Env: []string{"PGRST_JWT_AUD=a,http://%x"}}); err == nil {
		t.Error("an item that is no URI is accepted")
	}
}
