package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/server/config"
)

var writeSettings = flag.Bool("write-settings", false, "write the page of settings")

const (
	settingsPage      = "cmd/fastgrest/manual/settings.md"
	configurationPage = "cmd/fastgrest/manual/configuration.md"
)

// TestSettingsPage compares the page of settings with the table in package config.
func TestSettingsPage(t *testing.T) {
	want := settingsText()
	if *writeSettings {
		if err := os.WriteFile(filepath.Join(root, settingsPage), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if readPage(t, settingsPage) != want {
		t.Error("settings.md differs from the table; run: go test ./cmd/fastgrest -run TestSettingsPage -write-settings")
	}
	if lines := strings.Count(want, "\n"); lines > 400 {
		t.Errorf("settings.md has %d lines", lines)
	}
}

const settingsIntro = `# Settings

All settings in alphabetical order. [Configuration](configuration.md) says where to set them, and which value counts if
it is set in several places. The first line of a setting has the type of its value, its default in a configuration file, and its
environment variable. A reload applies a changed value unless the line says *restart*. *database* means that the setting can be
[set in the database](configuration.md#settings-in-the-database). *fastgrest* means that PostgREST does not have the setting.
This page is generated from the table that the program reads.
`

// settingsText is the page of settings. It has no blank line that Markdown does not need, because the
// page is long.
func settingsText() string {
	var b strings.Builder
	b.WriteString(settingsIntro)
	for _, d := range config.Descriptions() {
		fmt.Fprintf(&b, "\n## %s\n%s\\\n", d.Key, traits(d))
		for _, line := range wrap(strings.TrimSpace(d.Help+" "+d.More), 130) {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// traits is the line below the heading of a setting.
func traits(d config.Description) string {
	kind := d.Kind
	if d.Kind == "choice" {
		kind = "one of `" + strings.Join(d.Choices, "`, `") + "`"
	} else if d.Unit != "" {
		kind += " (" + d.Unit + ")"
	}
	def := "`" + d.Default + "`"
	if d.Default == `""` {
		def = "not set"
	}
	list := []string{kind, "default: " + def, "`" + d.Variable + "`"}
	if len(d.Aliases) > 0 {
		list = append(list, "older name: `"+strings.Join(d.Aliases, "`, `")+"`")
	}
	if !d.Reloadable {
		list = append(list, "*restart*")
	}
	if d.Database != "" {
		list = append(list, "*database*")
	}
	if d.Ours {
		list = append(list, "*fastgrest*")
	}
	return strings.Join(list, "; ")
}

// TestPagesNameSettings checks that the settings exist that the pages about settings name in code spans.
func TestPagesNameSettings(t *testing.T) {
	keys := []string{"app.settings"}
	words := map[string]bool{} // the first words of settings
	for _, d := range config.Descriptions() {
		keys = append(append(keys, d.Key), d.Aliases...)
		word, _, _ := strings.Cut(d.Key, "-")
		words[word] = true
	}
	named := 0
	for _, page := range []string{settingsPage, configurationPage} {
		for _, m := range codeSpan.FindAllStringSubmatch(readPage(t, page), -1) {
			key, _, _ := strings.Cut(m[1], " ")
			word, _, more := strings.Cut(key, "-")
			if !more || !words[word] || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz-") != "" {
				continue
			}
			named++
			if !slices.Contains(keys, key) {
				t.Errorf("%s names the setting %s, which does not exist", page, key)
			}
		}
	}
	if named < 20 {
		t.Errorf("found %d names of settings", named)
	}
}
