package main

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// onTerminal runs the program on a terminal of 60 columns, and returns what the screen gets.
func onTerminal(t *testing.T, env []string, args ...string) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer master.Close()
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	screen, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: 60}); err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&shown, master) // ends with an error when the other side is closed
	}()
	var log bytes.Buffer
	if code := run(t.Context(), args, env, screen, &log); code != 0 || log.Len() > 0 {
		t.Errorf("%q: exit code %d, %s", args, code, log.String())
	}
	screen.Close()
	<-read
	return strings.ReplaceAll(shown.String(), "\r\n", "\n")
}

func TestManualOnTerminal(t *testing.T) {
	path := "PATH=" + os.Getenv("PATH")
	plain := onTerminal(t, []string{path, "PAGER="}, "manual", "decisions/001-one-flight")
	if !strings.HasPrefix(plain, "\x1b[1m1.\x1b[22m \x1b[1mOne\x1b[22m") {
		t.Errorf("the title is not bold: %.80q", plain)
	}
	for line := range strings.Lines(plain) {
		if utf8.RuneCountInString(line) > 61 && !strings.HasPrefix(line, "    ") && !strings.Contains(line, "\x1b") {
			t.Errorf("a line is not wrapped: %q", line)
		}
	}
	if got := onTerminal(t, []string{path, "PAGER=sed -e s/^/:/"}, "manual", "decisions/001-one-flight"); got != ":"+strings.ReplaceAll(strings.TrimSuffix(plain, "\n"), "\n", "\n:")+"\n" {
		t.Errorf("the pager shows %.200q", got)
	}
	if got := onTerminal(t, []string{path, `PAGER=awk 'BEGIN { print ENVIRON["LESS"] }'`}, "manual", "decisions/001-one-flight"); got != "FRX\n" {
		t.Errorf("LESS is %q", got)
	}
	if got := onTerminal(t, []string{path, "LESS=S", `PAGER=awk 'BEGIN { print ENVIRON["LESS"] }'`}, "manual", "decisions/001-one-flight"); got != "S\n" {
		t.Errorf("LESS of the user is %q", got)
	}
	if got := onTerminal(t, []string{path, "PAGER=there-is-no-such-pager"}, "manual", "decisions/001-one-flight"); got != plain {
		t.Errorf("without a pager: %.200q", got)
	}
}
