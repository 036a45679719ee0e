package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

func printHelp(w io.Writer, own, settings *pflag.FlagSet) error {
	_, err := fmt.Fprintf(w, `fastgrest %s / a REST API for an existing PostgreSQL database
PostgREST 16 compatible

Usage: fastgrest [flags] [FILENAME]

FILENAME is a configuration file (--example shows one). Every setting can also
be a flag or a PGRST_* environment variable. Flags win over variables, and
variables over the file. A boolean without a value is true.

Flags:
%s
Settings:
%s`, version, describe(own), describe(settings))
	return err
}

// The help fits a terminal of 80 columns. A name that is too long for its column is on a separate line.
const (
	leftColumn  = 32
	rightColumn = 47
)

// describe lists flags like pflag, without "[=true|false]", and without the kind of value that the
// texts of package config begin with.
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
		kind, text := pflag.UnquoteUsage(f)
		switch {
		case f.Name == "dump-config":
			left += "[=all]"
		case kind == "boolean":
			left += " [boolean]"
		case f.Value.Type() != "bool":
			left += " " + kind
		}
		text = strings.TrimPrefix(text, kind+": ")
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
