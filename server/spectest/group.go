package spectest

import (
	"fmt"
	"io/fs"
	"iter"
	"strings"
)

// group is a server configuration: the file groups/NAME.conf. Its comments may
// contain directives:
//
//	#: env NAME=VALUE    environment of the server
//	#: sql STATEMENT     run in the database before the server starts; :db is its name
//	#: socket            listen on a unix socket
//	#: noadmin           no admin port
//	#: nouri             the group sets its own db-uri
//
// In the file {{groups}} stands for the directory of the groups, {{dir}} for a
// private directory of the server, and {{db}}, {{db_port}} and {{db_uri}} for
// the database.
type group struct {
	name                   string
	conf                   string
	env                    []string
	sql                    []string
	socket, noadmin, nouri bool
}

func loadGroup(fsys fs.FS, dir, name string) (*group, error) {
	raw, err := fs.ReadFile(fsys, dir+"/"+name+".conf")
	if err != nil {
		return nil, err
	}
	g := &group{name: name, conf: string(raw)}
	for line := range strings.Lines(g.conf) {
		if directive, ok := strings.CutPrefix(line, "#:"); ok {
			if err := g.direct(strings.TrimSpace(directive)); err != nil {
				return nil, fmt.Errorf("group %s: %w", name, err)
			}
		}
	}
	return g, nil
}

// direct applies one directive.
func (g *group) direct(directive string) error {
	word, rest, _ := strings.Cut(directive, " ")
	switch word {
	case "env":
		name, value, ok := strings.Cut(rest, "=")
		if !ok {
			return fmt.Errorf("no value in %q", directive)
		}
		g.env = append(g.env, strings.TrimSpace(name)+"="+strings.TrimSpace(value))
	case "sql":
		g.sql = append(g.sql, rest)
	case "socket":
		g.socket = true
	case "noadmin":
		g.noadmin = true
	case "nouri":
		g.nouri = true
	default:
		return fmt.Errorf("unknown directive %q", directive)
	}
	return nil
}

// leavesNothing reports whether servers with this configuration leave the
// database unchanged.
func (g *group) leavesNothing() bool {
	return len(g.sql) == 0 && strings.Contains(g.conf, "\ndb-tx-end = \"rollback\"\n")
}

// statements yields the non-empty lines of a list with one statement per line.
func statements(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(list) {
			if line = strings.TrimSpace(line); line != "" && !yield(line) {
				return
			}
		}
	}
}
