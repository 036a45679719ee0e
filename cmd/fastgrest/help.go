package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

func printHelp(w io.Writer, own, settings *pflag.FlagSet) error {
	_, err := fmt.Fprintf(w, `fastgrest %s / a REST API for an existing PostgreSQL database, PostgREST 16 compatible

Usage: fastgrest [flags] [FILENAME]

FILENAME is a configuration file (--example shows one). Every setting can also be a flag or a
PGRST_* environment variable; flags win over variables, and variables over the file.

Flags:
%s
Settings:
%s`, version, describe(own), describe(settings))
	return err
}

// Widths of the help: an 80-column terminal is not enough for the longest names, 110 is usual.
const (
	leftColumn  = 45
	rightColumn = 65
)

// describe lists flags like pflag does, less what it adds: "[=true|false]" to switches, and to the
// texts of package config the kind of value a second time.
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
		if f.Value.Type() != "bool" {
			left += " " + kind
		}
		text = strings.TrimPrefix(text, kind+": ")
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
		line += word
	}
	return append(lines, line)
}
