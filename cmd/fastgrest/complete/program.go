package complete

import "strings"

// Program is a command line: its flags, and its subcommands, each with flags of its own.
type Program struct {
	Name     string
	Main     Command // without a subcommand
	Commands []Command
}

// Command is what can follow the name of a program or subcommand.
type Command struct {
	Name    string
	Summary string
	Flags   []Flag
	Words   []string // the values of the first argument
	Files   bool     // arguments are files
}

// Flag is a long flag, perhaps with a shorthand.
type Flag struct {
	Name      string
	Shorthand string // a letter; may be empty
	Summary   string
	Value     Value
	Kind      string   // of the value; "file" and "directory" are completed
	Choices   []string // values, where there are few
	Repeated  bool     // the flag may be given several times
}

// Value says how a flag takes a value.
type Value uint8

const (
	NoValue  Value = iota
	Joined         // --flag or --flag=value
	Optional       // --flag, --flag=value or --flag value
	Required       // --flag=value or --flag value
)

// names are the spellings of a flag.
func (f *Flag) names() []string {
	if f.Shorthand == "" {
		return []string{"--" + f.Name}
	}
	return []string{"-" + f.Shorthand, "--" + f.Name}
}

// quote quotes a text for bash and zsh.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
