package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/server/batch"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/spool"
)

// respondFailure makes the response to a batch of which a part has failed. The status
// is that of the part. Its entry has its error, and the other entries say that they
// were undone.
func (b *batchRun) respondFailure() error {
	failed := b.parts[b.failed]
	if !errors.Is(b.why, errPartRefused) {
		failed.dropSpooled()
		failed.rq.fail(b.why)
	}
	undone := newProblem(424, "PGRSTX41", "The batch was rolled back").
		withDetails("Part " + strconv.Quote(failed.ID) + " failed.")
	for _, part := range b.parts {
		if part == failed {
			continue
		}
		part.dropSpooled()
		resp := &part.ctx.Response
		resp.Reset()
		resp.SetStatusCode(undone.status)
		resp.Header.SetContentType("application/json; charset=utf-8")
		resp.SetBodyRaw(undone.appendJSON(nil, b.rq.snap.config.ClientErrorVerbosity))
	}
	status := failed.ctx.Response.StatusCode()
	if clients.Bodiless(status) {
		status = fasthttp.StatusInternalServerError // the response of the batch has a body
	}
	b.rq.response.code = failed.rq.response.code
	err := b.respond()
	b.rq.ctx.Response.SetStatusCode(status)
	return err
}

// respond makes the response with an entry for each part. With large bodies it is
// spooled as a whole: so it has a length, and a slow client has the time for it that
// spool-send-timeout gives.
func (b *batchRun) respond() error {
	w := batchWriter{buffer: append(b.rq.response.scratch[:0], `{"responses":[`...)}
	b.rq.response.scratch = nil
	for i, part := range b.parts {
		if i > 0 {
			w.buffer = append(w.buffer, ',')
		}
		w.entry(part)
	}
	w.buffer = append(w.buffer, ']', '}')
	resp := &b.rq.ctx.Response
	resp.SetStatusCode(fasthttp.StatusOK)
	resp.Header.SetContentTypeBytes(jsonType)
	p := header.Prefer{Tx: b.rq.prefer.Tx}
	b.rq.setApplied(&p)
	if w.readers == nil {
		resp.SetBodyRaw(w.buffer)
		return nil
	}
	w.readers = append(w.readers, bytes.NewReader(w.buffer))
	return b.spool(&w)
}

// spool makes one spooled body of what is in the writer. As for the bodies of writes, one
// of a batch that has written does not fail for want of room.
func (b *batchRun) spool(w *batchWriter) error {
	defer func() {
		for _, body := range w.bodies {
			_ = body.Close()
		}
	}()
	whole := b.rq.server.engine.Spool.NewBody(!b.whole.ReadOnly)
	for i, r := range w.readers {
		if _, err := io.Copy(whole, r); err != nil {
			_ = whole.Close()
			return err
		}
		if i%2 == 1 {
			_ = w.bodies[i/2].Close()
		}
	}
	b.rq.sendSpooled(whole)
	return nil
}

// batchWriter writes entries. Large bodies become readers, with the text before them.
type batchWriter struct {
	buffer  []byte
	readers []io.Reader
	bodies  []*spool.Body
}

// entry appends the response of a part.
func (w *batchWriter) entry(p *batchPart) {
	resp := &p.ctx.Response
	dst := append(w.buffer, `{"id":`...)
	dst = jsontext.AppendString(dst, p.ID)
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(resp.StatusCode()), 10)
	dst = append(dst, `,"headers":`...)
	dst = jsontext.AppendValue(dst, headersOf(&resp.Header))
	media := string(resp.Header.ContentType())
	switch {
	case p.spooled != nil:
		w.buffer = append(dst, `,"body":`...)
		w.spooled(p, media)
		dst = w.buffer
	case len(resp.Body()) > 0 && !clients.Bodiless(resp.StatusCode()):
		dst = appendBody(dst, resp.Body(), media)
	}
	w.buffer = append(dst, '}')
}

// headersOf returns the headers of a response without those about the connection.
// Several of one name are a list.
func headersOf(h *fasthttp.ResponseHeader) map[string]any {
	out, names := map[string]any{}, map[string]string{}
	for key, value := range h.All() {
		name, text := string(key), string(value)
		lower := strings.ToLower(name)
		switch lower {
		case "content-length", "connection", "date", "server", "transfer-encoding":
			continue
		}
		if first, ok := names[lower]; ok {
			name = first
		}
		names[lower] = name
		switch before := out[name].(type) {
		case nil:
			out[name] = text
		case string:
			out[name] = []any{before, text}
		case []any:
			out[name] = append(before, text)
		}
	}
	return out
}

// isTextType reports whether bodies of a media type are text.
func isTextType(media string) bool {
	return strings.HasPrefix(media, "text/") || strings.Contains(media, "xml") || strings.Contains(media, "charset=utf-8")
}

// appendBody appends a body: JSON as it is, text as a string, anything else as base64.
func appendBody(dst, body []byte, media string) []byte {
	switch {
	case batch.IsJSON(media) && json.Valid(body):
		return append(append(dst, `,"body":`...), body...)
	case utf8.Valid(body):
		return jsontext.AppendString(append(dst, `,"body":`...), body)
	}
	dst = append(dst, `,"encoding":"base64","body":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, body)
	return append(dst, '"')
}

// spooled makes readers of the text so far and of a large body. Only what PostgreSQL or
// the server has made as JSON or text is taken as such. The body of a media type handler
// may be anything, and a function may have set another Content-Type.
func (w *batchWriter) spooled(p *batchPart, media string) {
	var body io.Reader = p.spooled
	open, closing := "", ""
	switch {
	case batch.IsJSON(media) && p.plan.MakesJSON():
	case (batch.IsJSON(media) || isTextType(media)) && !p.plan.Handled:
		open, closing, body = `"`, `"`, &encodingReader{from: body, encode: appendEscaped}
	default:
		w.buffer = append(w.buffer[:len(w.buffer)-len(`"body":`)], `"encoding":"base64","body":`...)
		open, closing, body = `"`, `"`, &encodingReader{from: body, encode: base64.StdEncoding.AppendEncode}
	}
	w.readers = append(w.readers, strings.NewReader(string(w.buffer)+open), body)
	w.bodies = append(w.bodies, p.spooled)
	p.spooled = nil
	w.buffer = append(w.buffer[:0], closing...)
}

// appendEscaped appends text as it is in a JSON string.
func appendEscaped(dst, text []byte) []byte {
	for i, c := range text { // a character may continue in the next piece
		if c < ' ' || c == '"' || c == '\\' {
			quoted := jsontext.AppendString(nil, text[i:i+1])
			dst = append(dst, quoted[1:len(quoted)-1]...)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// encodingReader encodes what it reads, in pieces that are a multiple of three bytes
// but for the last one, as base64 needs it.
type encodingReader struct {
	from    io.Reader
	encode  func(dst, src []byte) []byte
	raw     []byte
	encoded []byte // not read yet
	end     error
}

func (r *encodingReader) Read(p []byte) (int, error) {
	if len(r.encoded) == 0 {
		if r.end != nil {
			return 0, r.end
		}
		if r.raw == nil {
			r.raw = make([]byte, 3<<12)
		}
		n, err := io.ReadFull(r.from, r.raw)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		r.end = err
		r.encoded = r.encode(nil, r.raw[:n])
		if len(r.encoded) == 0 {
			return 0, r.end
		}
	}
	n := copy(p, r.encoded)
	r.encoded = r.encoded[n:]
	return n, nil
}
