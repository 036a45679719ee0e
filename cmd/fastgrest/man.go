package main

import (
	"context"
	_ "embed" // the fixed part of the manual page
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/config"
)

// manText is the manual page without what comes from tables: the lines .COMMANDS, .FLAGS and .SETTINGS
// stand for these. .TH gets the version.
//
//go:embed fastgrest.1.in
var manText string

// printManPage is the subcommand man.
func printManPage(_ context.Context, args, _ []string, t terminal) error {
	if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
		_, err := io.WriteString(t.stdout, "Usage: fastgrest man | man -l -\n\nPrints the manual page in the format of man.\n")
		return err
	}
	if len(args) > 0 {
		return errors.New("fastgrest man takes no arguments")
	}
	_, err := io.WriteString(t.stdout, manPage(subcommands()))
	return err
}

// manPage is fastgrest(1) in the man macros of roff.
func manPage(list []subcommand) string {
	own, _ := new(options).flagSets()
	parts := map[string]func(*strings.Builder){
		".COMMANDS\n": func(b *strings.Builder) { manCommands(b, list) },
		".FLAGS\n":    func(b *strings.Builder) { manFlags(b, own) },
		".SETTINGS\n": manSettings,
	}
	var b strings.Builder
	fmt.Fprintf(&b, ".TH FASTGREST 1 \"\" \"fastgrest %s\" \"PostgREST %s compatible\"\n", version, server.CompatibleVersion)
	for line := range strings.Lines(manText) {
		if part := parts[line]; part != nil {
			part(&b)
		} else {
			b.WriteString(line)
		}
	}
	return b.String()
}

func manCommands(b *strings.Builder, list []subcommand) {
	for _, c := range list {
		usage := "fastgrest " + c.name
		if c.words != nil && len(c.words()) > 0 && len(c.words()) <= 5 {
			usage += " " + strings.Join(c.words(), "|")
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s.\n", roff(usage), roff(strings.ToUpper(c.summary[:1])+c.summary[1:]))
		if c.flags != nil {
			b.WriteString(".RS\n")
			manFlags(b, c.flags())
			b.WriteString(".RE\n")
		}
	}
}

// manFlags has the flags of a set, without those of the configuration.
func manFlags(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if _, setting := f.Annotations[config.SettingAnnotation]; setting || f.Hidden {
			return
		}
		kind, text := flagText(f)
		name := roff("--" + f.Name)
		if f.Shorthand != "" {
			name = roff("-"+f.Shorthand) + ", " + name
		}
		switch choices := strings.Join(f.Annotations[config.ChoicesAnnotation], "|"); {
		case f.NoOptDefVal != "" && choices != "":
			name += "[=" + roff(choices) + "]"
		case f.Value.Type() != "bool":
			name += " " + roff(kind)
		}
		if !slices.Contains([]string{"", "false", "0", "[]"}, f.DefValue) {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", name, roff(text))
	})
}

func manSettings(b *strings.Builder) {
	for _, d := range config.Descriptions() {
		kind := d.Kind
		if d.Unit != "" {
			kind += ", " + d.Unit
		} else if d.Kind == "choice" {
			kind = strings.Join(d.Choices, "|")
		}
		fmt.Fprintf(b, ".TP\n.BR %s \" (%s)\"\n%s", roff(d.Key), roff(kind), markdownRoff(strings.TrimSpace(d.Help+" "+d.More)))
		if d.Default != `""` {
			fmt.Fprintf(b, "The default is %s.\n", roff(strings.ReplaceAll(strings.Trim(d.Default, `"`), ",", ", ")))
		}
		if !d.Reloadable {
			b.WriteString("A change needs a restart.\n")
		}
		if d.Ours {
			b.WriteString("PostgREST does not have this setting.\n")
		}
	}
}

var roffText = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "'", `\(aq`, "`", "")

// roff is a text in roff: one line, which does not begin like a request of roff.
func roff(s string) string {
	s = roffText.Replace(strings.Join(strings.Fields(s), " "))
	if strings.HasPrefix(s, ".") {
		return `\&` + s
	}
	return s
}

// markdownRoff is a text with code spans and links, one sentence a line.
func markdownRoff(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(s, "`") {
		part, _, _ = strings.Cut(part, "](") // links end a text
		part = roffText.Replace(strings.ReplaceAll(part, "[", ""))
		if i%2 == 1 {
			part = `\fB` + part + `\fR`
		}
		b.WriteString(part)
	}
	text := strings.ReplaceAll(b.String(), ". ", ".\n")
	if !strings.HasSuffix(text, ".") {
		text += " in the manual."
	}
	return text + "\n"
}
