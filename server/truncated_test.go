package server_test

import (
	"net/http"
	"regexp"
	"strconv"
	"testing"
)

// TestTruncatedResponses: the access line of a large response has the bytes that were
// sent, and the metrics count the responses that the client did not take completely.
func TestTruncatedResponses(t *testing.T) {
	t.Parallel()
	const size = 64000002 // of the response
	for format, line := range map[string]string{
		"text": ` 200 (\d+) `,
		"json": `"bytes":(\d+),"truncated":(\w+)`,
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			// Only the second server gives up a client soon: on a busy machine any client may be slow.
			patient := watch(t, map[string]string{"log-format": format, "log-level": "info"})
			strict := watch(t, map[string]string{"log-format": format, "log-level": "info", "spool-send-timeout": "1"})
			logged := func(r *running, name, wantTruncated string) (bytes int) {
				t.Helper()
				m := regexp.MustCompile(line).FindStringSubmatch(r.Out.Await(t, `/rpc/large\?`+name))
				if m == nil || format == "json" && m[2] != wantTruncated {
					t.Fatalf("%s: access line %q", name, m)
				}
				bytes, _ = strconv.Atoi(m[1])
				return bytes
			}
			counted := func(r *running, truncated, bytes int) {
				t.Helper()
				_, all := ask(t, r.Admin, "GET", "/metrics")
				for sample, want := range map[string]int{
					"fastgrest_responses_truncated_total":    truncated,
					"fastgrest_response_spooled_bytes_total": bytes,
				} {
					if got := figure(t, all, sample); int(got) != want {
						t.Errorf("%s is %g, want %d", sample, got, want)
					}
				}
			}
			if _, body := ask(t, patient.API, "GET", "/rpc/large?complete"); len(body) != size {
				t.Fatalf("%d bytes", len(body))
			}
			if bytes := logged(patient, "complete", "false"); bytes != size {
				t.Errorf("complete: %d bytes", bytes)
			}
			counted(patient, 0, size)

			sum := 0
			for name, leaves := range map[string]bool{"slow": false, "gone": true} {
				resp, err := strict.API.Get("http://api/rpc/large?" + name)
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatal(resp, err)
				}
				defer resp.Body.Close()
				if leaves {
					resp.Body.Close()
				}
				bytes := logged(strict, name, "true")
				if bytes >= size || bytes == 0 && !leaves {
					t.Errorf("%s: %d bytes", name, bytes)
				}
				sum += bytes
			}
			counted(strict, 2, sum)
		})
	}
}
