package server

import (
	"bytes"
	"strconv"
	"sync"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/percent"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/cors"
	"github.com/fastgrest/fastgrest/server/cursor"
)

// A read with Prefer: page=cursor gets a link to the next page (RFC 8288), if there is one.
// The link is the URL of the request with a cursor in place of limit and offset. It has
// only a query, so it is right behind every proxy.

// cursorKey returns the key that signs cursors, nil if each process has its own.
func cursorKey(c *config.Config) *cursor.Key {
	if c.PageCursorSecret != "" {
		return cursor.NewKey([]byte(c.PageCursorSecret))
	}
	text := bytes.TrimSpace(c.JWTSecret)
	if len(text) == 0 || text[0] == '{' || text[0] == '[' {
		return nil // keys in JSON may be public
	}
	return cursor.NewKey(c.JWTSecret)
}

var warnRandomKey sync.Once

// cursorKey returns the key that signs cursors.
func (rq *request) cursorKey() *cursor.Key {
	if key := rq.snap.cursorKey; key != nil {
		return key
	}
	warnRandomKey.Do(func() {
		rq.server.log.ConfigWarning("without page-cursor-secret and a symmetric jwt-secret, cursors of pages are good for this process only")
	})
	return cursor.Random()
}

// openCursor reads the cursor of a read with Prefer: page=cursor.
func (rq *request) openCursor() error {
	if rq.part != nil {
		return pageProblem("A part of a batch has no pages.")
	}
	if !rq.query.HasAfter {
		return nil
	}
	if rq.plan.Top.Lower > 0 {
		return cursorProblem("A page begins behind its cursor. It cannot have an offset, or a Range that does not begin at 0.")
	}
	position, err := rq.cursorKey().Open(rq.query.After)
	if err != nil {
		return cursorProblem("The value of 'after' was not made by this server, or its secret has changed.")
	}
	after := &planner.Position{Fingerprint: position.Fingerprint, Terms: len(position.Values)}
	for i, v := range position.Values {
		if v.Null {
			after.Nulls |= 1 << i
		}
	}
	rq.plan.After, rq.after = after, position.Values
	return nil
}

// setNext sets the link to the next page.
func (rq *request) setNext(plan *planner.Plan) error {
	page := &rq.result().Page
	switch {
	case plan.Keys == 0 || page.Read && !page.More:
		return nil
	case !page.Read:
		return pageProblem("The rows have several columns of one name.")
	case len(page.Last) == 0: // limit=0
		return nil
	case page.Tied:
		return pageProblem("The order does not tell the last row of the page and the next one apart.").
			withHint("Order the rows by columns that are unique together.")
	}
	position := cursor.Position{Fingerprint: plan.Fingerprint, Values: page.Last}
	if position.Size() > cursor.MaxBytes {
		longest := 0
		for i, v := range page.Last {
			if len(v.Bytes) > len(page.Last[longest].Bytes) {
				longest = i
			}
		}
		return pageProblem("The values that order the last row of the page are too long for a cursor, first of all '" + plan.PageColumn(longest) + "'.")
	}
	dst := append(rq.response.scratch[:0], '<', '?')
	dst = rq.appendKept(dst)
	if rows, ok := rq.plan.Top.Limit(); ok && !rq.isQuery() {
		dst = strconv.AppendInt(append(dst, "limit="...), rows, 10)
		dst = append(dst, '&')
	}
	dst = rq.cursorKey().Append(append(dst, "after="...), &position)
	dst = append(dst, `>; rel="next"`...)
	rq.response.scratch = dst
	rq.response.linked = true
	rq.ctx.Response.Header.SetCanonical(headerLink, dst)
	return nil
}

var (
	headerLink  = []byte("Link")
	exposedLink = cors.Exposed("Link")
)

// appendKept appends the parameters of the URL that the next page has, too, each with a
// separator behind it. For QUERY limit and offset may be in the body, which stays. Then
// they stay in the URL, too.
func (rq *request) appendKept(dst []byte) []byte {
	var decoded []byte
	for part := range bytes.FieldsFuncSeq(rq.head.rawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		decoded = percent.AppendDecoded(decoded[:0], part, true)
		name, value, _ := bytes.Cut(decoded, []byte("="))
		switch string(name) {
		case "after":
			if parser.IsCursor(value) {
				continue
			}
		case "limit", "offset":
			if !rq.isQuery() {
				continue
			}
		}
		for _, c := range part {
			if c <= ' ' || c >= 0x7F || bytes.IndexByte([]byte("\"<>\\^`{|}"), c) >= 0 { // RFC 3986 does not allow it in a query
				dst = percent.AppendEscape(dst, c)
			} else {
				dst = append(dst, c)
			}
		}
		dst = append(dst, '&')
	}
	return dst
}

// pageProblem is a request whose pages cannot have cursors.
func pageProblem(details string) *problem {
	return newProblem(400, "PGRSTX34", "Pages with cursors are not available for this request").withDetails(details)
}

// cursorProblem is a request whose cursor is that of another table or order, or is not
// signed by this server.
func cursorProblem(details string) *problem {
	return newProblem(400, "PGRSTX35", "The cursor of the page is not valid").withDetails(details)
}

var errOtherCursor = cursorProblem("The cursor is that of another table, or of another order.")
