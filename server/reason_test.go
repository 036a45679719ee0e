package server

import (
	"strings"
	"testing"
)

const reasonSchema = allocSchema + `
create function api.status(code text) returns text language plpgsql as
  $$ begin perform set_config('response.status', code, true); return 'x'; end $$;
create function api.oops(state text, msg text default 'Wrong', detail text default '') returns text language plpgsql as
  $$ begin raise exception using errcode = state, message = msg, detail = detail; end $$;
create function api.both() returns text language plpgsql as
  $$ begin
       perform set_config('response.status', '204', true);
       perform set_config('response.headers', '[{"content-length": "7"}]', true);
       return 'x';
     end $$;
`

// TestStatusLines tells which reason phrase a status has that the database chose,
// and that no status without a body has a length.
func TestStatusLines(t *testing.T) {
	s := startTest(t, reasonSchema)
	raise := func(detail string) string {
		return `{"state": "PGRST", "msg": "{\"code\": \"E1\", \"message\": \"m\"}", "detail": "` + strings.ReplaceAll(detail, `"`, `\"`) + `"}`
	}
	for _, tt := range []struct{ path, body, line string }{
		{"status", `{"code": "418"}`, "418 I'm a teapot"},
		{"status", `{"code": "600"}`, "600  "},
		{"status", `{"code": "999"}`, "999  "},
		{"status", `{"code": "100"}`, "100 Continue"},
		{"status", `{"code": "099"}`, "500 Internal Server Error"},
		{"status", `{"code": "1000"}`, "500 Internal Server Error"},
		{"status", `{"code": "0"}`, "500 Internal Server Error"},
		{"status", `{"code": "99999999999"}`, "500 Internal Server Error"},
		{"oops", `{"state": "PT402"}`, "402 Wrong"},
		{"oops", `{"state": "PT999"}`, "999 Wrong"},
		{"oops", `{"state": "PT402", "msg": "a\r\nb"}`, "402 ab"},
		{"oops", `{"state": "PT40A"}`, "500 Internal Server Error"},
		{"oops", `{"state": "PT099"}`, "500 Internal Server Error"},
		{"oops", `{"state": "PT000"}`, "500 Internal Server Error"},
		{"oops", `{"state": "40001"}`, "500 Internal Server Error"},
		{"oops", raise(`{"status": 600, "headers": {}}`), "600  "},
		{"oops", raise(`{"status": 600, "status_text": "Odd", "headers": {}}`), "600 Odd"},
		{"oops", raise(`{"status": 404, "headers": {}}`), "404 Not Found"},
		{"oops", raise(`{"status": 99, "headers": {}}`), "500 Internal Server Error"},
		{"oops", raise(`{"status": 1000, "headers": {}}`), "500 Internal Server Error"},
		{"oops", raise(`{"status": 1e300, "headers": {}}`), "500 Internal Server Error"},
		{"status", `{"code": "204"}`, "204 No Content"},
		{"oops", `{"state": "PT204"}`, "204 Wrong"},
		{"oops", raise(`{"status": 204, "headers": {"Content-Length": "3"}}`), "204 No Content"},
		{"both", `{}`, "204 No Content"},
	} {
		var answer strings.Builder
		ctx := newRequestCtx()
		requestReader(t, ctx, rawRequest("POST", "/rpc/"+tt.path, tt.body, nil))()
		s.handle(ctx)
		if _, err := ctx.Response.WriteTo(&answer); err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(answer.String(), "\r\n\r\n")
		line, _, _ := strings.Cut(head, "\r\n")
		if line != "HTTP/1.1 "+tt.line {
			t.Errorf("%s %s: %q, want %q", tt.path, tt.body, line, tt.line)
		}
		if status := ctx.Response.StatusCode(); (status < 200 || status == 204 || status == 304) && (body != "" || strings.Contains(strings.ToLower(head), "content-length")) {
			t.Errorf("%s %s: a length or a body: %q, body %q", tt.path, tt.body, head, body)
		}
	}
}
