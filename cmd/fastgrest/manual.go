package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/fastgrest/fastgrest/cmd/fastgrest/manual"
	"github.com/fastgrest/fastgrest/server/config"
)

// showManual is the command manual. On a terminal a page is wrapped and goes through the pager of the
// user. Otherwise it is Markdown, for other programs.
func showManual(_ context.Context, args, env []string, t terminal) error {
	pages := manual.New()
	switch {
	case len(args) > 1:
		return errors.New("fastgrest manual shows one page at a time")
	case len(args) == 0 || args[0] == "-h" || args[0] == "--help":
		return listTopics(t.stdout, pages)
	}
	page, found := pages.Page(strings.TrimSuffix(args[0], ".md"))
	if !found {
		return unknownTopic(args[0])
	}
	screen, columns, ok := screenOf(t.stdout)
	if !ok {
		_, err := t.stdout.Write(page.Markdown)
		return err
	}
	return throughPager(page.Text(min(columns, maxColumns)), env, screen, t.stderr)
}

// maxColumns is the length of lines that people like to read, at most.
const maxColumns = 100

func listTopics(w io.Writer, pages *manual.Manual) error {
	var b strings.Builder
	b.WriteString("fastgrest manual TOPIC shows a page:\n\n")
	for topic, title := range pages.Contents() {
		fmt.Fprintf(&b, "  %-34s %s\n", topic, title)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// unknownTopic names the topics that contain the word, or else the one that is spelt most like it.
func unknownTopic(word string) error {
	var near []string
	all := topics()
	for _, topic := range all {
		if len(word) > 1 && strings.Contains(topic, strings.ToLower(word)) {
			near = append(near, topic)
		}
	}
	if nearest := config.Nearest(strings.ToLower(word), all); len(near) == 0 && nearest != "" {
		near = []string{nearest}
	}
	if len(near) == 0 {
		return fmt.Errorf("the manual has no page %q (fastgrest manual lists the pages)", word)
	}
	return fmt.Errorf("the manual has no page %q; did you mean %s?", word, strings.Join(near, ", "))
}

// screenOf returns the file that w is, and its width, if it is a terminal.
func screenOf(w io.Writer) (screen *os.File, columns int, ok bool) {
	screen, ok = w.(*os.File)
	if !ok {
		return nil, 0, false
	}
	size, err := unix.IoctlGetWinsize(int(screen.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return nil, 0, false
	}
	if size.Col == 0 { // a serial line, which does not know
		return screen, 80, true
	}
	return screen, int(size.Col), true
}

// throughPager shows a text with $PAGER, or with less. It writes the text itself if $PAGER is empty or
// the pager cannot be started.
func throughPager(text []byte, env []string, screen *os.File, stderr io.Writer) error {
	pager := "less"
	if i := slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, "PAGER=") }); i >= 0 {
		pager = strings.TrimPrefix(env[i], "PAGER=")
	}
	if program, _, _ := strings.Cut(strings.TrimSpace(pager), " "); program != "" {
		if _, err := exec.LookPath(program); err == nil {
			return runPager(pager, text, env, screen, stderr)
		}
	}
	_, err := screen.Write(text)
	return err
}

// runPager runs the command with a shell, because $PAGER may have arguments. Without a setting of the
// user less shows bold text, and ends by itself if the page fits on the screen.
func runPager(pager string, text []byte, env []string, screen *os.File, stderr io.Writer) error {
	interrupts := make(chan os.Signal, 1) // Ctrl-C is for the pager
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)

	cmd := exec.Command("sh", "-c", pager)
	cmd.Env = append([]string{"LESS=FRX"}, env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(string(text)), screen, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the pager %s: %w", pager, err)
	}
	return nil
}

// topics are the names of the pages, for completion.
func topics() (names []string) {
	for topic := range manual.New().Contents() {
		names = append(names, topic)
	}
	return names
}
