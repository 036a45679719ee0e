package server

import (
	"github.com/valyala/fasthttp"
)

// setReason sets the reason phrase of a status that the database may have chosen:
// text, or if that is "" the standard phrase.
func setReason(h *fasthttp.ResponseHeader, status int, text string) {
	switch {
	case text != "":
		h.SetStatusMessage(reasonPhrase(text))
	case !isStandard(status):
		h.SetStatusMessage([]byte{' '}) // fasthttp replaces an empty phrase
	}
}

// reasonPhrase is text without control characters (RFC 9112, 4).
func reasonPhrase(text string) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] >= ' ' && text[i] != 0x7f {
			out = append(out, text[i])
		}
	}
	return out
}

// isStandard reports whether fasthttp has a phrase for the status.
func isStandard(status int) bool { return fasthttp.StatusMessage(status) != fasthttp.StatusMessage(0) }

// isStatus reports whether the number can stand in a status line, which has
// three digits for it (RFC 9112, 4).
func isStatus(n int) bool { return 100 <= n && n <= 999 }
