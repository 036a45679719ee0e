package uitest

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// keepAsking sends requests of several kinds until the test ends.
func keepAsking(t *testing.T, api string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	t.Cleanup(func() { cancel(); done.Wait() })
	targets := []string{"/book?limit=20", "/book?id=eq.7", "/author?select=full_name&limit=5", "/genre", "/book?id=eq.8", "/nowhere", "/book?nothing=eq.1", "/"}
	client := &http.Client{Timeout: requestPatience}
	for worker := range 2 {
		done.Go(func() {
			for i := worker; ctx.Err() == nil; i++ {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, api+targets[i%len(targets)], nil)
				if err != nil {
					t.Error(err)
					return
				}
				if answer, err := client.Do(request); err == nil {
					answer.Body.Close()
				}
				time.Sleep(5 * time.Millisecond) // limits the load
			}
		})
	}
}

const requestPatience = time.Minute

// await evaluates a condition until it is true. It polls from the test, because the page's policy forbids a script
// that polls in the page.
func await(t *testing.T, tab context.Context, condition string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if run(t, tab, chromedp.Evaluate[bool](condition)) {
			return
		}
		if time.Since(began) > actionPatience {
			screenshot(t, tab, "ui-failed.png")
			t.Fatalf("never true: %s", condition)
		}
	}
}

// scheme emulates the preferred colour scheme.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})
}

// contrast is the lowest contrast between text and its background (WCAG 2,
// 1.4.3).
const contrast = `(() => {
	const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
	const light = (c) => { const [r, g, b] = c.match(/[\d.]+/g).map(Number); return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
	const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== "rgba(0, 0, 0, 0)" && c !== "transparent") return c; } return "rgb(255, 255, 255)"; };
	let least = 21;
	for (const e of document.querySelectorAll("h1, h2, dt, dd, td, th, .big, .legend, .scale span, #state-text, a")) {
		if (!e.textContent.trim()) continue;
		const a = light(getComputedStyle(e).color), b = light(ground(e));
		least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
	}
	return least;
})()`

const plotNames = `["requests", "latency", "database", "pool"]`

func TestAdminPage(t *testing.T) {
	browser := startBrowser(t, findBrowser(t))
	api, admin := startDemo(t)
	keepAsking(t, api)

	tab, console := openTab(t, browser)
	do(t, tab, scheme("light"), chromedp.Navigate(admin+"/ui"), chromedp.WaitVisible(chromedp.CSS(`#routes tbody tr`)))
	await(t, tab, `points.length >= 4 && document.querySelector("#state").classList.contains("good")`)
	await(t, tab, plotNames+`.every((id) => (document.querySelector("#" + id + " path.line").getAttribute("d") || "").split("L").length > 2)`)
	await(t, tab, plotNames+`.every((id) => /\d/.test(document.querySelector("#" + id + " .big").textContent))`)

	routes := each(t, tab, `#routes tbody tr td:first-child`, `e.textContent`)
	for _, want := range []string{"/", "/book", "/author", "/genre", "unknown"} {
		if !slices.Contains(routes, want) {
			t.Errorf("no route %s among %q", want, routes)
		}
	}
	var described struct {
		Paths map[string]any `json:"paths"`
	}
	getJSON(t, api+"/", &described)
	schemas := each(t, tab, `#schemas tbody tr`, `e.innerText`)
	if len(schemas) == 0 || !strings.HasPrefix(schemas[0], "bookshop") || !regexp.MustCompile(`\t[1-9]\d*\t\d+\t[1-9]\d*$`).MatchString(schemas[0]) || len(described.Paths) < 10 {
		t.Errorf("schemas %q", schemas)
	}
	if facts := each(t, tab, `#facts dd`, `e.textContent`); !slices.ContainsFunc(facts, func(s string) bool { return strings.HasPrefix(s, "PostgreSQL ") }) {
		t.Errorf("facts %q", facts)
	}
	if meters := each(t, tab, `.meter .bar div`, `e.style.width`); len(meters) != 3 || meters[0] == "0%" || meters[1] == "0%" {
		t.Errorf("caches %q", meters)
	}
	if names := each(t, tab, `.meter .names span:first-child`, `e.textContent`); len(names) != 3 || names[0] != "Plans: hit rate" {
		t.Errorf("caches %q", names)
	}
	for id, value := range map[string]string{"requests": "broken", "pool": "waitingPeak"} {
		if !run(t, tab, chromedp.Evaluate[bool](fmt.Sprintf(`points.some((p) => p.%s > 0) || document.querySelector("#%s path.line.red").getAttribute("d") === ""`, value, id))) {
			t.Errorf("%s: a red line at zero", id)
		}
	}
	screenshot(t, tab, "admin-page.png")
	checkReadable(t, tab, "light")

	// Hovering shows the figures of a moment.
	await(t, tab, `(() => {
		const svg = document.querySelector("#requests svg"), box = svg.getBoundingClientRect();
		svg.dispatchEvent(new PointerEvent("pointermove", {clientX: box.right - 1, clientY: box.top + 5}));
		return /ago$/.test(document.querySelector("#requests .legend").textContent) && !!svg.querySelector(".cursor");
	})()`)

	do(t, tab, scheme("dark"))
	await(t, tab, `getComputedStyle(document.body).backgroundColor === "rgb(16, 19, 24)"`)
	screenshot(t, tab, "admin-page-dark.png")
	checkReadable(t, tab, "dark")

	do(t, tab, chromedp.EmulateViewport(390, 844))
	await(t, tab, `innerWidth === 390`)
	if wide := run(t, tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > 390 {
		t.Errorf("on a narrow screen the page is %d wide", wide)
	}
	screenshot(t, tab, "admin-page-narrow.png")

	// Databases are shown if there are read replicas.
	if shown := run(t, tab, chromedp.Evaluate[bool](`!document.querySelector("#nodes-section").hidden`)); shown {
		t.Error("there is a list of databases without read replicas")
	}
	run(t, tab, chromedp.Evaluate[bool](`(take({...samples[samples.length - 1], now: Date.now(), nodes: [
		{name: "primary", serves: true, why: "", lag: -1, in_flight: 1, requests: 20, retried: 0},
		{name: "<b>b</b>:5432", serves: false, why: "lag", lag: 12, in_flight: 0, requests: 3, retried: 2}]}), true)`))
	if rows := each(t, tab, `#nodes tbody tr`, `e.innerText`); !slices.Equal(rows, []string{"primary\tyes\t–\t1\t20\t0", "<b>b</b>:5432\tno: lag\t12 s\t0\t3\t2"}) {
		t.Errorf("databases %q", rows)
	}

	// Key sets are shown if there are any.
	if shown := run(t, tab, chromedp.Evaluate[bool](`!document.querySelector("#key-sets-section").hidden`)); shown {
		t.Error("there is a list of no key sets")
	}
	run(t, tab, chromedp.Evaluate[bool](`(take({...samples[samples.length - 1], now: Date.now(), key_sets: [
		{from: "https://a", keys: 2, age: 90, fetched: 3, failed: 1, problem: ""}, {from: "https://b", keys: 0, age: -1, fetched: 0, failed: 2, problem: "<b>no route</b>"}]}), true)`))
	if rows := each(t, tab, `#key-sets tbody tr`, `e.innerText`); !slices.Equal(rows, []string{"https://a\t2\t1 min ago\t3\t1\t", "https://b\t0\tnever\t0\t2\t<b>no route</b>"}) {
		t.Errorf("key sets %q", rows)
	}

	// Names that clients choose are inserted as text.
	run(t, tab, chromedp.Evaluate[bool](`(take({...samples[samples.length - 1], now: Date.now(), routes: [{...samples[0].routes[0], route: "/<img src=x onerror=alert(1)>"}]}), true)`))
	if run(t, tab, chromedp.Evaluate[int](`document.querySelectorAll("img").length`)) != 0 {
		t.Error("the name of a route was inserted as markup")
	}

	// Set states that the demo does not reach.
	const last = `const last = {...samples[samples.length - 1], live: true, ready: true};`
	f := func(fetch, class, text string, notice bool) {
		t.Helper()
		run(t, tab, chromedp.Evaluate[bool](`(() => {`+last+` window.fetch = `+fetch+`; return true; })()`))
		await(t, tab, fmt.Sprintf(`document.querySelector("#state").className === "state %s" && document.querySelector("#state-text").textContent === %q &&
			document.querySelector("#notice").hidden === %t`, class, text, !notice))
	}
	f(`async () => new Response(JSON.stringify({...last, ready: false}))`, "wait", "waiting for the database", true)
	f(`async () => new Response(JSON.stringify({...last, live: false}))`, "bad", "not live", false)
	f(`async () => new Response(JSON.stringify({...last, started: 1, routes: [], schemas: []}))`, "good", "ready", false)
	if text := each(t, tab, `#routes tbody`, `e.innerText`); len(text) != 1 || text[0] != "No requests yet." {
		t.Errorf("without routes: %q", text)
	}
	f(`async () => { throw new TypeError("no route to host"); }`, "bad", "no answer", true)

	for _, text := range console.seen() {
		t.Errorf("the console says: %s", text)
	}

	// The console would report a violation of the policy.
	do(t, tab, chromedp.ResetViewport(), chromedp.Navigate(admin))
	// A new page draws the earlier history, and / leads to it.
	await(t, tab, `location.pathname === "/ui" && samples.length > 0 && points.length >= samples.length + 3`)
	run(t, tab, chromedp.Evaluate[bool](`(document.body.append(Object.assign(document.createElement("img"), {src: "http://127.0.0.1:1/x.png"})), true)`))
	for began := time.Now(); !slices.ContainsFunc(console.seen(), func(s string) bool { return strings.Contains(s, "Content Security Policy") }); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > actionPatience {
			t.Fatalf("the policy permits images of other origins: %q", console.seen())
		}
	}
}

func checkReadable(t *testing.T, tab context.Context, name string) {
	t.Helper()
	if got := run(t, tab, chromedp.Evaluate[float64](contrast)); got < 4.5 {
		t.Errorf("%s: the lowest contrast of text is %.2f, want at least 4.5", name, got)
	}
}
