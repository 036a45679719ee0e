package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/bench/load"
	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

// pgbenchProgram returns the path of pgbench, next to the server's programs or in PATH, or "" without it.
func pgbenchProgram(p pgcluster.Programs) string {
	for _, name := range []string{filepath.Join(p.Dir, "pgbench"), "pgbench"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// runPgbench runs a flight with pgbench, as an independent check of runFloor. It reads results as text.
func runPgbench(ctx context.Context, program string, m *machine, v *way, flight []statement, x *mix, connections int, duration time.Duration) (load.Result, error) {
	script, args := pgbenchScript(flight, x)
	file := filepath.Join(m.dir, x.name+".pgbench")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		return load.Result{}, err
	}
	seconds := max(1, int(duration.Seconds()))
	// pgbench prepares statements outside of the transaction, where authenticator has no privileges.
	args = append(args, "--no-vacuum", "--protocol=prepared", "--client="+strconv.Itoa(connections), "--jobs=1",
		"--time="+strconv.Itoa(seconds), "--file="+file,
		"--host="+v.dir, "--port="+strconv.Itoa(v.port), "--username="+pgcluster.Superuser, database)
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return load.Result{}, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	done := processed.FindSubmatch(out)
	if done == nil {
		return load.Result{}, fmt.Errorf("pgbench: no count of transactions in %s", out)
	}
	n, err := strconv.Atoi(string(done[1]))
	return load.Result{Requests: n, Elapsed: time.Duration(seconds) * time.Second}, err
}

var processed = regexp.MustCompile(`transactions actually processed: (\d+)`)

// pgbenchScript writes the flight with every argument as a variable, because pgbench replaces ":3000" even inside
// a literal. A number inside a longer argument stays the same: pgbench cannot concatenate texts.
func pgbenchScript(flight []statement, x *mix) (script string, args []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "\\set n random(%d, %d)\n\\startpipeline\n", x.low, x.high)
	for i, s := range flight {
		sql := s.sql
		for j := len(s.args); j > 0; j-- { // from the end, because $1 is a prefix of $10
			name := "n"
			if a := s.args[j-1]; !a.isNumber() {
				name = fmt.Sprintf("s%dp%d", i, j)
				args = append(args, "--define="+name+"="+string(a.append(nil, x.mark())))
			}
			sql = strings.ReplaceAll(sql, "$"+strconv.Itoa(j), "\x00"+name+" ")
		}
		// Other colons in SQL are casts, which pgbench leaves alone.
		sql = strings.ReplaceAll(sql, "\x00", ":")
		b.WriteString(strings.Join(strings.Fields(sql), " ") + ";\n")
	}
	b.WriteString("\\endpipeline\n")
	return b.String(), args
}
