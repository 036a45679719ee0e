package uitest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const actionPatience = 90 * time.Second

// unavailable skips the test, or fails it if skipping is forbidden.
func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("FASTGREST_UI_TEST") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format+" (FASTGREST_UI_TEST=1 makes this a failure)", args...)
}

// findBrowser runs each candidate with --version, because some systems have a chromium that only explains how to
// install it.
func findBrowser(t *testing.T) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		version, err := exec.CommandContext(t.Context(), path, "--version").Output()
		if err != nil {
			t.Logf("%s --version: %v", path, err)
			continue
		}
		t.Logf("%s: %s", path, strings.TrimSpace(string(version)))
		return path
	}
	unavailable(t, "no browser: none of %s works", strings.Join(names, ", "))
	return ""
}

// startBrowser starts a browser that may connect to this machine only. The context is for openTab.
func startBrowser(t *testing.T, path string) context.Context {
	t.Helper()
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.WindowSize(1280, 1400),
		chromedp.Flag("no-proxy-server", true),
	})
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // the browser refuses a sandbox as root
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	// A deadline of the context would also end the browser later.
	timer := time.AfterFunc(actionPatience, cancel)
	defer timer.Stop()
	if err := chromedp.Do(ctx); err != nil {
		unavailable(t, "%s does not start: %v", path, err)
	}
	return ctx
}

// openTab opens an empty page and records its console.
func openTab(t *testing.T, browser context.Context) (context.Context, *console) {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	c := &console{}
	if err := chromedp.Listen(ctx, c.listen); err != nil {
		t.Fatal(err)
	}
	return ctx, c
}

// console collects the errors of a page.
type console struct {
	mu     sync.Mutex
	errors []string
}

func (c *console) listen(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeAssert {
			return
		}
		for _, arg := range e.Args {
			text += fmt.Sprintf("%s%s ", arg.Value, arg.Description)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError {
			return
		}
		text = e.Entry.Text + " " + e.Entry.URL
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errors = append(c.errors, strings.TrimSpace(text))
}

func (c *console) seen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.errors)
}

// screenshot saves the content of the window and logs the path.
func screenshot(t *testing.T, tab context.Context, name string) {
	t.Helper()
	tab, cancel := context.WithTimeout(tab, actionPatience)
	defer cancel()
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		t.Errorf("screenshot %s: %v", name, err)
		return
	}
	dir := os.Getenv("FASTGREST_ARTIFACTS")
	if dir == "" {
		dir = t.ArtifactDir()
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("screenshot: %s", path)
}

// run runs one action on a page, and saves a screenshot if it fails.
func run[T any](t *testing.T, tab context.Context, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, actionPatience)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		screenshot(t, tab, "ui-failed.png")
		t.Fatal(err)
	}
	return result
}

func do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	run(t, tab, chromedp.Steps(steps...))
}

// each evaluates an expression for every element e that matches a selector.
func each(t *testing.T, tab context.Context, selector chromedp.CSS, expression string) []string {
	t.Helper()
	quoted, err := json.Marshal(selector)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, tab, chromedp.Evaluate[[]string](`[...document.querySelectorAll(`+string(quoted)+`)].map(e => `+expression+`)`))
}

func count(t *testing.T, tab context.Context, selector chromedp.CSS) int {
	t.Helper()
	return len(each(t, tab, selector, `""`))
}
