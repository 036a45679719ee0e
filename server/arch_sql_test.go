package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The files that may build SQL from strings, with the parts they use and why that is safe.
var buildsSQL = map[string]string{
	"planner/sqlgen":      "is the place for it; names and constants go through Ident and Literal",
	"server/config/db.go": "the name of db-pre-config, quoted; and constants of its own",
	"pgwire/reset.go":     "constants of its own",
	"pgwire/listen":       "the name of db-channel, quoted",
	"pgwire/pgtest":       "its own cluster, for tests",
	"server/spectest":     "its own cluster, for tests",
	"cmd/fastgrest":       "its own cluster, for the demo",
	"bench":               "its own cluster, for benchmarks",
	"planner/festival":    "its own cluster, for tests",
}

var startsSQL = regexp.MustCompile(`(?i)^\s*(select |insert into |update \S+ set |delete from |with \S+ as |set (local|session|role|constraints) |(alter|create|drop) (role|table|function|schema|database) |truncate |listen |unlisten |notify |explain |copy |prepare |execute |deallocate |discard |grant \S+ |revoke \S+ )`)

// TestArchSQL: only the listed files build SQL from strings.
func TestArchSQL(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	allowed := func(path string) bool {
		for place := range buildsSQL {
			if path == place || strings.HasPrefix(path, place+"/") {
				seen[place] = true
				return true
			}
		}
		return false
	}
	hasSQL := func(n ast.Node) (found bool) {
		ast.Inspect(n, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && startsSQL.MatchString(strings.Trim(lit.Value, "`\"")) {
				found = true
			}
			return !found
		})
		return found
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		relative, _ := filepath.Rel(root, path)
		relative = filepath.ToSlash(relative)
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			var built ast.Node
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if n.Op == token.ADD {
					built = n
				}
			case *ast.AssignStmt:
				if n.Tok == token.ADD_ASSIGN {
					built = n
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Sprintf", "Appendf", "Fprintf", "WriteString", "Join"}, f.Sel.Name) {
					built = n
				} else if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "append" {
					built = n
				}
			}
			if built != nil && hasSQL(built) && !allowed(relative) {
				t.Errorf("%s: SQL put together outside of planner/sqlgen", files.Position(built.Pos()))
				return false
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for place := range buildsSQL {
		if !seen[place] {
			t.Errorf("%s builds no SQL: remove its line", place)
		}
	}
}
