package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/server"
)

func printHelp(w io.Writer, own, settings *pflag.FlagSet) error {
	_, err := fmt.Fprintf(w, `fastgrest %s / a REST API for an existing PostgreSQL database
PostgREST %s compatible

Usage: fastgrest [flags] [FILENAME]
%s
FILENAME is a configuration file (--example shows one). Every setting can also
be a flag or a PGRST_* environment variable. A flag has precedence over a
variable, and a variable over the file. A boolean flag without a value is true.

Flags:
%s
Settings:
%s`, version, server.CompatibleVersion, commandUsage(), describe(own), describe(settings))
	return err
}

// commandUsage has a line for each subcommand, after the usage of serving.
func commandUsage() string {
	var b strings.Builder
	for _, c := range subcommands() {
		fmt.Fprintf(&b, "       fastgrest %-13s %s\n", c.name, c.summary)
	}
	return b.String()
}

// The help fits a terminal of 80 columns. A name that is too long for its column is on a separate line.
const (
	leftColumn  = 32
	rightColumn = 47
)

// describe lists flags like pflag, without "[=true|false]".
func describe(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		left := "      --" + f.Name
		if f.Shorthand != "" {
			left = "  -" + f.Shorthand + ", --" + f.Name
		}
		kind, text := flagText(f)
		switch {
		case f.Name == "dump-config":
			left += "[=all]"
		case kind == "boolean":
			left += " [boolean]"
		case f.Value.Type() != "bool":
			left += " " + kind
		}
		if len(left) > leftColumn {
			b.WriteString(left + "\n")
			left = ""
		}
		for _, line := range wrap(text, rightColumn) {
			fmt.Fprintf(&b, "%-*s %s\n", leftColumn, left, line)
			left = ""
		}
	})
	return b.String()
}

func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		for len(word) > width { // a list
			comma := strings.LastIndexByte(word[:width], ',') + 1
			if comma == 0 {
				break
			}
			lines = append(lines, word[:comma])
			word = word[comma:]
		}
		line += word
	}
	return append(lines, line)
}
