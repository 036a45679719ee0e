package uitest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestManualPages follows every link of the manual within the server, from page to page.
func TestManualPages(t *testing.T) {
	browser := startBrowser(t, findBrowser(t))
	_, admin := startDemo(t)

	tab, console := openTab(t, browser)
	do(t, tab, scheme("light"), chromedp.Navigate(admin+"/ui"), chromedp.Click(chromedp.CSS(`footer a[href="manual"]`)))
	await(t, tab, `location.pathname === "/manual/index" && document.title === "The manual - fastgrest"`)
	screenshot(t, tab, "manual.png")
	checkReadable(t, tab, "light")
	do(t, tab, scheme("dark"))
	await(t, tab, `getComputedStyle(document.body).backgroundColor === "rgb(16, 19, 24)"`)
	checkReadable(t, tab, "dark")

	// A request is beside its response on a wide screen, and above it on a narrow one.
	const beside = `(([request, response]) => request.getBoundingClientRect().top === response.getBoundingClientRect().top)` +
		`(document.querySelector(".exchange").children)`
	do(t, tab, chromedp.Navigate(admin+"/manual/reads"), chromedp.WaitVisible(chromedp.CSS(`.exchange`)))
	await(t, tab, beside)
	screenshot(t, tab, "manual-reads.png")
	do(t, tab, chromedp.EmulateViewport(390, 844))
	await(t, tab, "!"+beside)
	await(t, tab, `innerWidth === 390`)
	checked := map[string]bool{}
	for _, page := range each(t, tab, `nav li a`, `e.href`) {
		do(t, tab, chromedp.Navigate(page), chromedp.WaitVisible(chromedp.CSS(`main h1`)))
		if current := each(t, tab, `nav a[aria-current]`, `e.href`); len(current) != 1 || current[0] != page {
			t.Errorf("%s: the current page is %q", page, current)
		}
		if wide := run(t, tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > 390 {
			t.Errorf("%s: on a narrow screen the page is %d wide", page, wide)
		}
		for _, id := range each(t, tab, `main a[href^="#"]`, `document.getElementById(e.hash.slice(1)) ? "" : e.hash`) {
			if id != "" {
				t.Errorf("%s: there is no %s", page, id)
			}
		}
		for _, link := range each(t, tab, `a`, `e.href.replace(/#.*/, "")`) {
			if checked[link] || !strings.HasPrefix(link, admin) {
				continue
			}
			checked[link] = true
			response, err := http.Get(link)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s links to %s: %s", page, link, response.Status)
			}
		}
	}
	if len(checked) < 15 {
		t.Errorf("found %d links", len(checked))
	}
	for _, text := range console.seen() { // a violation of the policy would be among them
		t.Errorf("the console says: %s", text)
	}
}
