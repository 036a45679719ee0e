package admin

import (
	_ "embed"
	"encoding/json"

	"github.com/valyala/fasthttp"
)

// The page for people: three files that need no building, and the figures they
// ask for. It loads nothing from elsewhere, and the browser is told to see to
// that.
var (
	//go:embed page/ui.html
	pageHTML []byte
	//go:embed page/ui.css
	pageCSS []byte
	//go:embed page/ui.js
	pageJS []byte
)

// page is a file of the page.
type page struct {
	contentType string
	body        []byte
}

var pages = map[string]page{
	"ui":     {"text/html; charset=utf-8", pageHTML},
	"ui.css": {"text/css; charset=utf-8", pageCSS},
	"ui.js":  {"text/javascript; charset=utf-8", pageJS},
}

// pageHeaders keep the page to itself: nothing but its own files and figures,
// in no frame, and no old one after an update.
var pageHeaders = [][2]string{
	{"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cache-Control", "no-store"},
}

// answerPage sends a part of the page, with a type and the headers above.
func answerPage(ctx *fasthttp.RequestCtx, p page) {
	h := &ctx.Response.Header
	h.SetContentType(p.contentType)
	for _, kv := range pageHeaders {
		h.Set(kv[0], kv[1])
	}
	answer(ctx, fasthttp.StatusOK, p.body)
}

// answerStatus sends the figures that the page shows. The page says which
// moments of the history it has.
func answerStatus(ctx *fasthttp.RequestCtx, s Server) {
	body, err := json.Marshal(s.Status(int64(ctx.QueryArgs().GetUintOrZero("after"))))
	if err != nil {
		answer(ctx, fasthttp.StatusInternalServerError, nil)
		return
	}
	answerPage(ctx, page{"application/json; charset=utf-8", body})
}
