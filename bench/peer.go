package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// peersVariable is an environment variable with peers in the form of --peer, separated by semicolons.
const peersVariable = "BENCH_PEERS"

// program is a server to measure: a command to start, or the address of a running server.
type program struct {
	name string
	args []string // the command; empty for a running server
	env  []string // settings for this program only, "NAME=value"
	addr string   // host:port of a running server
	pid  int      // process of a running server; 0 if unknown
	says string   // description of a program without --version
}

// Built-in peers: the baseline, the server itself with one request per connection to PostgreSQL, and PostgREST.
const (
	classicName   = "classic"
	exclusiveName = "exclusive"
	postgrestName = "postgrest"
)

// tcpWord in a command is replaced by the database's TCP address. By default servers get the unix socket's
// address.
const tcpWord = "{tcp}"

func (p *plan) wantTCP() bool {
	return slices.ContainsFunc(p.peers, func(peer program) bool {
		return slices.ContainsFunc(peer.args, func(word string) bool { return strings.Contains(word, tcpWord) })
	})
}

// parsePeer reads classic, exclusive, postgrest, the path of a program, NAME=COMMAND, NAME=http://127.0.0.1:PORT or
// NAME=http://127.0.0.1:PORT,pid=PID. A command is split at spaces; there is no shell.
func parsePeer(text, server string) (p program, err error) {
	name, what, ok := strings.Cut(text, "=")
	p.name, what = strings.TrimSpace(name), strings.TrimSpace(what)
	switch {
	case !ok && p.name == classicName:
		return ourselves(classicName, "classic")
	case !ok && p.name == exclusiveName:
		return program{name: exclusiveName, args: []string{server}, env: []string{"PGRST_DB_CONNECTION_SHARING=false"}, says: "db-connection-sharing = false"}, nil
	case !ok && (p.name == postgrestName || strings.ContainsRune(p.name, '/')):
		path, err := exec.LookPath(p.name)
		if err != nil {
			return program{}, fmt.Errorf("%w; install PostgREST from its releases, or give the path of the program", err)
		}
		p.name, p.args = filepath.Base(path), []string{path}
		return p, p.checkName()
	}
	if !ok || p.name == "" || what == "" {
		return program{}, fmt.Errorf("a peer is classic, exclusive, postgrest, /path/to/postgrest, NAME=COMMAND or NAME=http://127.0.0.1:PORT, not %q", text)
	}
	if err := p.checkName(); err != nil {
		return program{}, err
	}
	if !strings.HasPrefix(what, "http:") && !strings.HasPrefix(what, "https:") {
		p.args = strings.Fields(what)
		_, err := exec.LookPath(p.args[0])
		return p, err
	}
	what, pid, hasPID := strings.Cut(what, ",pid=")
	if hasPID {
		if p.pid, err = strconv.Atoi(pid); err != nil || p.pid < 1 {
			return program{}, fmt.Errorf("%s: not a process id: %q", p.name, pid)
		}
	}
	p.addr, err = loopback(what)
	return p, err
}

// checkName rejects the server's name and names that a file cannot have.
func (p program) checkName() error {
	if p.name == string(byServer) || strings.ContainsAny(p.name, ",/") {
		return fmt.Errorf("%q is not a valid name of a peer", p.name)
	}
	return nil
}

// loopback returns the address of a URL without a path. It rejects addresses of other machines.
func loopback(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	if u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
		return "", fmt.Errorf("%q: want http://127.0.0.1:PORT", text)
	}
	addr, err := netip.ParseAddrPort(u.Host)
	if err != nil {
		return "", fmt.Errorf("%q: want http://127.0.0.1:PORT", text)
	}
	if !addr.Addr().IsLoopback() {
		return "", fmt.Errorf("%s is not a loopback address", u.Host)
	}
	return u.Host, nil
}

// parsePeers reads the peers of the flags and of the environment.
func (p *plan) parsePeers(flags []string, variable string) (list []program, err error) {
	for _, text := range append(slices.Clone(flags), strings.Split(variable, ";")...) {
		if strings.TrimSpace(text) == "" {
			continue
		}
		peer, err := parsePeer(text, p.server)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(other program) bool { return other.name == peer.name }) {
			return nil, fmt.Errorf("two peers are called %q", peer.name)
		}
		list = append(list, peer)
	}
	return list, nil
}

// withProcs returns the server once for each number of GOMAXPROCS.
func (p *plan) withProcs() (list []program) {
	for _, n := range p.procs {
		list = append(list, program{name: fmt.Sprintf("procs-%d", n), args: []string{p.server},
			env: []string{procsEnv(n)}, says: procsEnv(n)})
	}
	return list
}

func procsEnv(n int) string { return fmt.Sprintf("GOMAXPROCS=%d", n) }

// version returns the first line of the command's --version, or its name.
func (p program) version(ctx context.Context) string {
	switch {
	case p.says != "":
		return p.says
	case len(p.args) == 0:
		return "http://" + p.addr
	}
	out, err := exec.CommandContext(ctx, p.args[0], append(slices.Clone(p.args[1:]), "--version")...).Output()
	if line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n"); err == nil && line != "" {
		return line
	}
	return filepath.Base(p.args[0])
}

// startPeers starts the peers that can serve a mix. A peer that fails becomes a note with its response, because a
// peer need not support every kind of request.
func (b *bench) startPeers(ctx context.Context, x *mix, at setting, answers [][]byte) (list []*instance, notes []string, err error) {
	for _, p := range b.peers {
		in, err := b.machine.startServer(ctx, p, at.way, slices.Concat(x.env, b.env), at.pool)
		if err != nil {
			return list, notes, fmt.Errorf("%s: %w", p.name, err)
		}
		differs, refused, err := b.compare(ctx, x, in, answers)
		if err != nil {
			return list, notes, errors.Join(err, in.stop())
		}
		notes = append(notes, differs...)
		if refused == nil {
			list = append(list, in)
			continue
		}
		notes = append(notes, fmt.Sprintf("%s is left out: %v", p.name, refused))
		if err := in.stop(); err != nil {
			return list, notes, err
		}
	}
	return list, notes, nil
}

// compare sends the server's requests to a peer. If the responses differ, the figures compare different things,
// and a note says so.
func (b *bench) compare(ctx context.Context, x *mix, in *instance, answers [][]byte) (notes []string, refused, err error) {
	for i, who := range x.askers {
		answer, refused := settle(ctx, x, x.target(in.addr, who, b.keys))
		if refused != nil {
			return nil, refused, ctx.Err()
		}
		if i < len(answers) && !sameJSON(answer, answers[i]) {
			notes = append(notes, fmt.Sprintf("%s responds with another body: %.80s", in.subject(who), answer))
		}
	}
	return notes, nil, b.machine.resetData(ctx, x)
}

// sameJSON compares values, not their spelling.
func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	read := func(text []byte) (v any, err error) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber() // 0.10 and 0.1 are different
		err = d.Decode(&v)
		return v, err
	}
	one, err1 := read(a)
	two, err2 := read(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(one, two)
}

// announce prints the address of the database for servers that the user runs.
func (b *bench) announce() {
	if slices.ContainsFunc(b.peers, func(p program) bool { return len(p.args) == 0 }) {
		fmt.Fprintf(os.Stderr, "Servers by URL may use this run's database: PGRST_DB_URI='%s' PGRST_DB_SCHEMAS=bench PGRST_DB_ANON_ROLE=anon\n",
			(&way{dir: b.machine.database.SocketDir, port: b.machine.database.Port}).uri("authenticator"))
	}
}
