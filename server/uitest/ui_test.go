package uitest

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// The page makes no other requests: the validator is a service on the internet, and the icon would be a request
// that fails.
var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Swagger UI</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="swagger-ui.css">
<div id="ui"></div>
<script src="swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: {{.}}, dom_id: "#ui", docExpansion: "list", validatorUrl: null})</script>
</html>
`))

// servePage serves Swagger UI from another origin, so that the test includes CORS. It returns a function that
// makes the URL of the page for a document.
func servePage(t *testing.T, assets map[string][]byte) func(document string) string {
	t.Helper()
	types := map[string]string{"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
	mux := http.NewServeMux()
	for name, content := range assets {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", types[name]+"; charset=utf-8")
			_, _ = w.Write(content)
		})
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := page.Execute(w, r.FormValue("document")); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return func(document string) string { return server.URL + "/?document=" + url.QueryEscape(document) }
}

// CSS classes and elements of Swagger UI.
const (
	errorBox   chromedp.CSS = `.errors-wrapper`
	operation  chromedp.CSS = `.opblock`
	closed     chromedp.CSS = `.opblock:not(.is-open)`
	unfinished chromedp.CSS = `.opblock-loading-animation, .loading-container`

	getBooks   chromedp.CSS = `.opblock-get:has([data-path="/book"]) `
	limitInput chromedp.CSS = getBooks + `tr[data-param-name="limit"] input`
	liveAnswer chromedp.CSS = getBooks + `.live-responses-table .response `
)

func TestSwaggerUI(t *testing.T) {
	program := findBrowser(t)
	assets := distAssets(t)
	browser := startBrowser(t, program)
	api, _ := startDemo(t)
	address := servePage(t, assets)

	t.Run("document", func(t *testing.T) {
		tab, console := openTab(t, browser)
		do(t, tab, chromedp.Navigate(address(api+"/")), chromedp.WaitVisible(operation+", "+errorBox))
		checkErrors(t, tab, console)
		checkOperations(t, tab, operations(t, api+"/"))
		screenshot(t, tab, "swagger-ui.png")

		tryBooks(t, tab, api)
		screenshot(t, tab, "swagger-ui-request.png")
		checkErrors(t, tab, console)

		openAll(t, tab)
		checkErrors(t, tab, console)
	})

	// The same marks appear for a broken document, so their absence above is significant.
	t.Run("no document", func(t *testing.T) {
		tab, console := openTab(t, browser)
		do(t, tab, chromedp.Navigate(address(api+"/no_such_table")), chromedp.WaitVisible(errorBox))
		if count(t, tab, operation) > 0 {
			t.Error("operations are shown for a document that does not exist")
		}
		if len(console.seen()) == 0 {
			t.Error("no console error for a document that does not exist")
		}
	})
}

func checkErrors(t *testing.T, tab context.Context, console *console) {
	t.Helper()
	for _, text := range each(t, tab, errorBox, `e.innerText`) {
		t.Errorf("Swagger UI shows: %s", text)
	}
	for _, text := range console.seen() {
		t.Errorf("the console says: %s", text)
	}
}

func checkOperations(t *testing.T, tab context.Context, want []string) {
	t.Helper()
	got := each(t, tab, operation, `e.querySelector(".opblock-summary-method").textContent.toLowerCase() +
		" " + e.querySelector(".opblock-summary-path").dataset.path`)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-document +page):\n%s", diff)
	}
	if !slices.Contains(want, "get /book") || len(want) < 20 {
		t.Errorf("the document describes only %q", want)
	}
}

// tryBooks uses the page as a user does: open, try, fill in, execute, read.
func tryBooks(t *testing.T, tab context.Context, api string) {
	t.Helper()
	do(t, tab,
		chromedp.Click(getBooks+`.opblock-summary-control`),
		chromedp.Click(getBooks+`.try-out__btn`),
		chromedp.SendKeys(limitInput, "3"),
		chromedp.Click(getBooks+`.execute`),
		chromedp.WaitVisible(liveAnswer+`.response-col_status`),
		chromedp.ScrollIntoView(liveAnswer),
	)
	status := run(t, tab, chromedp.Text(liveAnswer+`.response-col_status`))
	sent := run(t, tab, chromedp.Text(getBooks+`.request-url`))
	body := run(t, tab, chromedp.Text(liveAnswer+`.response-col_description .highlight-code pre`))
	if address := api + "/book?limit=3"; !strings.HasSuffix(sent, address) || status != "200" {
		t.Errorf("requested %q, want %s; status %q, want 200: %s", sent, address, status, body)
	}
	var got, want []map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("the response on the page: %v in %s", err, body)
	}
	getJSON(t, api+"/book?limit=3", &want)
	if len(got) != 3 || !reflect.DeepEqual(got, want) {
		t.Errorf("the page shows %s, want %v", body, want)
	}
}

// openAll opens the other operations, because Swagger UI resolves their references only then.
func openAll(t *testing.T, tab context.Context) {
	t.Helper()
	each(t, tab, closed+` .opblock-summary-control`, `(e.click(), "")`)
	do(t, tab, chromedp.WaitNotPresent(closed), chromedp.WaitNotPresent(unfinished))
	all, described := count(t, tab, operation), count(t, tab, operation+` .responses-wrapper`)
	if all != described {
		t.Errorf("%d of %d operations describe their responses", described, all)
	}
}
