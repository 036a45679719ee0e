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

// peersVariable in the environment names peers like --peer does, several with ; between them.
const peersVariable = "BENCH_PEERS"

// program is a server to measure: a command that we start, or an address where one is.
type program struct {
	name string
	args []string // the command; none if it is there already
	env  []string // settings that are its own, "NAME=value"
	addr string   // host:port, if it is there already
	pid  int      // of what is there already; 0 if nobody told
	says string   // what it is, if it cannot be asked for --version
}

// Peers that need no command: the baseline, and the server itself with one request per connection to PostgreSQL.
const (
	classicName   = "classic"
	exclusiveName = "exclusive"
)

// tcpWord in a command stands for the database's address by TCP; servers are given that of its unix socket.
const tcpWord = "{tcp}"

func (p *plan) wantTCP() bool {
	return slices.ContainsFunc(p.peers, func(peer program) bool {
		return slices.ContainsFunc(peer.args, func(word string) bool { return strings.Contains(word, tcpWord) })
	})
}

// parsePeer reads classic, exclusive, NAME=COMMAND, NAME=http://127.0.0.1:PORT or NAME=http://127.0.0.1:PORT,pid=PID. The words
// of a command are what spaces part; there is no shell.
func parsePeer(text, server string) (p program, err error) {
	name, what, ok := strings.Cut(text, "=")
	p.name, what = strings.TrimSpace(name), strings.TrimSpace(what)
	switch {
	case !ok && p.name == classicName:
		return ourselves(classicName, "classic")
	case !ok && p.name == exclusiveName:
		return program{name: exclusiveName, args: []string{server}, env: []string{"PGRST_DB_CONNECTION_SHARING=false"}, says: "db-connection-sharing = false"}, nil
	}
	if !ok || p.name == "" || what == "" {
		return program{}, fmt.Errorf("a peer is classic, exclusive, NAME=COMMAND or NAME=http://127.0.0.1:PORT, not %q", text)
	}
	if p.name == string(byServer) || strings.ContainsAny(p.name, ",/") { // it names a file, too
		return program{}, fmt.Errorf("a peer cannot be called %q", p.name)
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

// loopback takes the address out of a URL without a path, and refuses machines other than this one.
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

// parsePeers reads those of the flags and those of the environment.
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

// version is what a command says of itself, or else its name.
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

// startPeers starts the peers that can answer a mix. What the others said instead becomes a note: a peer need
// not know every kind of request, but nobody should take its absence for a figure.
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

// compare asks a peer what the server was asked. Two answers that differ are a comparison of different things,
// and the report says so.
func (b *bench) compare(ctx context.Context, x *mix, in *instance, answers [][]byte) (notes []string, refused, err error) {
	for i, who := range x.askers {
		answer, refused := settle(ctx, x, x.target(in.addr, who, b.keys))
		if refused != nil {
			return nil, refused, ctx.Err()
		}
		if i < len(answers) && !sameJSON(answer, answers[i]) {
			notes = append(notes, fmt.Sprintf("%s answers with something else: %.80s", in.subject(who), answer))
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
		d.UseNumber() // 0.10 and 0.1 are two answers
		err = d.Decode(&v)
		return v, err
	}
	one, err1 := read(a)
	two, err2 := read(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(one, two)
}

// announce tells those who run servers of their own where the data is.
func (b *bench) announce() {
	if slices.ContainsFunc(b.peers, func(p program) bool { return len(p.args) == 0 }) {
		fmt.Fprintf(os.Stderr, "Servers by URL may use this run's database: PGRST_DB_URI='%s' PGRST_DB_SCHEMAS=bench PGRST_DB_ANON_ROLE=anon\n",
			(&way{dir: b.machine.database.SocketDir, port: b.machine.database.Port}).uri("authenticator"))
	}
}
