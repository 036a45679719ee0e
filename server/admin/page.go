package admin

import (
	_ "embed"
	"encoding/json"
	"slices"

	"github.com/valyala/fasthttp"
)

// The page consists of embedded files and the figures that they fetch. It loads
// nothing from other origins; a policy makes the browser enforce that. palette.css
// has the colours of all pages.
var (
	//go:embed page/ui.html
	pageHTML []byte
	//go:embed page/palette.css
	paletteCSS []byte
	//go:embed page/ui.css
	pageCSS []byte
	//go:embed page/manual.css
	manualCSS []byte
	//go:embed page/ui.js
	pageJS []byte
)

// page is one file of the page.
type page struct {
	contentType string
	body        []byte
}

var pages = map[string]page{
	"ui":     {"text/html; charset=utf-8", pageHTML},
	"ui.css": {"text/css; charset=utf-8", slices.Concat(paletteCSS, pageCSS)},
	"ui.js":  {"text/javascript; charset=utf-8", pageJS},

	"manual.css": {"text/css; charset=utf-8", slices.Concat(paletteCSS, manualCSS)},
}

// pageHeaders allow the page only its own files and figures, forbid frames, and
// prevent a cached copy after an update.
var pageHeaders = [][2]string{
	{"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cache-Control", "no-store"},
}

// sendPage sends one file of the page with its type and pageHeaders.
func sendPage(ctx *fasthttp.RequestCtx, p page) {
	h := &ctx.Response.Header
	h.SetContentType(p.contentType)
	for _, kv := range pageHeaders {
		h.Set(kv[0], kv[1])
	}
	respond(ctx, fasthttp.StatusOK, p.body)
}

// sendStatus sends the figures of the page. The query says which moments of
// the history the page has.
func sendStatus(ctx *fasthttp.RequestCtx, s Server) {
	body, err := json.Marshal(s.Status(int64(ctx.QueryArgs().GetUintOrZero("after"))))
	if err != nil {
		respond(ctx, fasthttp.StatusInternalServerError, nil)
		return
	}
	sendPage(ctx, page{"application/json; charset=utf-8", body})
}
