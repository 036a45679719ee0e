package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// exported are the metrics that the server exports after some requests, each
// with its type: counter, gauge, histogram or summary. labels are their labels.
func exported(t *testing.T) (types map[string]string, labels map[string]bool) {
	t.Helper()
	d := newDatabase(t)
	port, admin := pgtest.FreePort(t, "127.0.0.1"), pgtest.FreePort(t, "127.0.0.1")
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // of a key set, which has metrics
		_, _ = io.WriteString(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	}))
	t.Cleanup(provider.Close)
	// The same server in place of a read replica has the metrics of one.
	d.start("--server-port", port, "--admin-server-port", admin, "--jwt-secret", provider.URL, "--db-uri-read-replicas", d.uri)
	get := func(port, line string) string {
		c := dialClient(t, "tcp", net.JoinHostPort("127.0.0.1", port))
		defer c.Close()
		c.ask(line)
		resp, body, err := c.answer()
		if err != nil || resp.StatusCode >= 500 {
			t.Fatalf("%s: %v %v", line, resp, err)
		}
		return body
	}
	get(port, "GET /item")
	get(port, "GET /none")
	types, labels = map[string]string{}, map[string]bool{}
	text := ""
	pgtest.Until(time.Minute, func() bool { // until it has been asked for its state
		text = get(admin, "GET /metrics")
		return strings.Contains(text, "\nfastgrest_node_lag_seconds{")
	})
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\w+) (\w+)$`).FindAllStringSubmatch(text, -1) {
		types[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile(`[{,](\w+)="`).FindAllStringSubmatch(text, -1) {
		labels[m[1]] = true
	}
	if len(types) < 60 {
		t.Fatalf("the server exports %d metrics", len(types))
	}
	return types, labels
}

var (
	metricName  = regexp.MustCompile(`\b(?:pgrst|fastgrest|process|go|promhttp)_\w+`)
	metricParts = regexp.MustCompile(`_(bucket|sum|count)$`)
	labelName   = regexp.MustCompile(`[{,]\s*(\w+)\s*=~?"`)
	labelList   = regexp.MustCompile(`\bby \(([^)]*)\)`)
)

// checkQuery checks that a query names metrics and labels that exist.
func checkQuery(t *testing.T, query string, types map[string]string, labels map[string]bool) {
	t.Helper()
	names := metricName.FindAllString(query, -1)
	if len(names) == 0 && !strings.HasPrefix(query, "up{") {
		t.Errorf("%s names no metric", query)
	}
	for _, name := range names {
		base := metricParts.ReplaceAllString(name, "")
		if types[name] == "" && types[base] != "histogram" {
			t.Errorf("%s: the server does not export %s", query, name)
		}
		if counts := types[name] == "counter" || types[base] == "histogram"; counts && !strings.Contains(query, "rate(") &&
			!strings.Contains(query, "increase(") && !strings.Contains(query, "== 0") {
			t.Errorf("%s: %s only grows", query, name)
		}
	}
	var used []string
	for _, m := range labelName.FindAllStringSubmatch(query, -1) {
		used = append(used, m[1])
	}
	for _, m := range labelList.FindAllStringSubmatch(query, -1) {
		for name := range strings.SplitSeq(m[1], ",") {
			used = append(used, strings.TrimSpace(name))
		}
	}
	for _, name := range used {
		if !labels[name] && name != "job" && name != "instance" { // those are Prometheus's
			t.Errorf("%s: there is no label %s", query, name)
		}
	}
}

// TestDashboard checks the fields that Grafana needs, and the queries.
func TestDashboard(t *testing.T) {
	types, labels := exported(t)
	type source struct{ Type, UID string }
	var dashboard struct {
		Title, UID    string
		SchemaVersion int
		Time          struct{ From, To string }
		Templating    struct {
			List []struct{ Name, Type, Definition string }
		}
		Panels []struct {
			ID                       int
			Type, Title, Description string
			Datasource               *source
			GridPos                  struct{ H, W, X, Y int }
			FieldConfig              struct{ Defaults struct{ Unit string } }
			Targets                  []struct {
				RefID, Expr, LegendFormat string
				Datasource                source
			}
		}
	}
	if err := json.Unmarshal([]byte(readPackaging(t, "grafana-dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	if dashboard.Title == "" || dashboard.UID == "" || dashboard.SchemaVersion < 30 || dashboard.Time.From == "" {
		t.Errorf("the dashboard lacks a field: %+v", dashboard)
	}
	var variables []string
	for _, v := range dashboard.Templating.List {
		variables = append(variables, v.Name)
		if v.Type == "query" {
			checkQuery(t, v.Definition, types, labels)
		}
	}
	if want := []string{"datasource", "job", "instance"}; !slices.Equal(variables, want) {
		t.Errorf("the variables are %q, want %q", variables, want)
	}
	ids, queries, taken := map[int]bool{}, 0, map[[2]int]bool{}
	for _, p := range dashboard.Panels {
		if p.ID == 0 || ids[p.ID] || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q: id %d, place %v", p.Title, p.ID, p.GridPos)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if taken[at] {
					t.Fatalf("panel %q lies on another", p.Title)
				}
				taken[at] = true
			}
		}
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || p.Datasource == nil || p.FieldConfig.Defaults.Unit == "" || p.Description == "" {
			t.Errorf("panel %q lacks a field", p.Title)
		}
		for _, target := range p.Targets {
			queries++
			if target.RefID == "" || target.LegendFormat == "" || target.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q: %+v", p.Title, target)
			}
			checkQuery(t, target.Expr, types, labels)
			for _, m := range regexp.MustCompile(`\$(\w+)`).FindAllStringSubmatch(target.Expr, -1) {
				if !slices.Contains(variables, m[1]) && m[1] != "__rate_interval" && m[1] != "__interval" {
					t.Errorf("panel %q: there is no variable %s", p.Title, m[1])
				}
			}
		}
	}
	if queries < 30 {
		t.Errorf("%d queries", queries)
	}
}

// TestRules checks the fields that Prometheus needs, and the queries. promtool
// checks the rest, and what the rules find in made-up series.
func TestRules(t *testing.T) {
	types, labels := exported(t)
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	text := readPackaging(t, "prometheus-rules.yaml")
	decodeYAML(t, text, &rules)
	n := 0
	for _, group := range rules.Groups {
		for _, r := range group.Rules {
			n++
			checkQuery(t, r.Expr, types, labels)
			if r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%+v lacks a field", r)
			}
			parseDuration(t, r.For)
		}
	}
	if n < 10 {
		t.Errorf("%d rules", n)
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("SKIPPED WITHOUT PROMTOOL: install it (apt-get install prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", "packaging/prometheus-rules.yaml"}, {"test", "rules", "testdata/prometheus-rules.test.yaml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", args, err, out)
		}
	}
	var file composeFile
	decodeYAML(t, readPackaging(t, "compose.yaml"), &file)
	p := &proxied{t: t, dir: t.TempDir()}
	conf := p.write("prometheus.yml", strings.ReplaceAll(file.Configs["prometheus"].Content, "/etc/prometheus/fastgrest.yaml", p.write("rules.yaml", text)))
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", conf).CombinedOutput(); err != nil {
		t.Errorf("promtool check config: %v\n%s", err, out)
	}
}
