package server_test

import (
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/server/auth/authtest"
)

// TestSecretsAreKept: logs, responses and the admin server never show the key, the
// password of the database or the signature of a token, at any level. Only
// --dump-config does, which requires access to the configuration.
func TestSecretsAreKept(t *testing.T) {
	t.Parallel()
	const password, key = "pass-of-the-database", "key-of-the-tokens-of-at-least-32"
	const setting = "value-of-a-setting-of-theirs"
	for _, format := range []string{"text", "json"} {
		r := watch(t, map[string]string{"db-uri": "postgresql://someone:" + password + "@127.0.0.1:1/nowhere", "jwt-secret": key, "log-level": "debug", "log-format": format})
		r.Log.Await(t, "PGRST00[0-2]")
		status, ready := ask(t, r.Admin, "GET", "/ready")
		_, answer := ask(t, r.API, "GET", "/film")
		if status < 500 || !strings.Contains(answer, "PGRST00") {
			t.Errorf("%d, %s", status, answer)
		}
		r.Stop(nil)
		for where, text := range map[string]string{"log": r.Log.String() + r.Out.String(), "answer": ready + answer} {
			if strings.Contains(text, password) || strings.Contains(text, key) {
				t.Errorf("%s, no database: the %s shows a secret:\n%s", format, where, text)
			}
		}

		r = watch(t, map[string]string{"jwt-secret": key, "app.settings.api_key": setting, "log-level": "debug", "log-query": "true", "log-format": format, "server-trace-header": "X-Trace"})
		r.Log.Await(t, "Schema cache loaded")
		sign := func(claims, with string) string {
			return authtest.Sign([]byte(claims), []byte(with))
		}
		var told strings.Builder
		var signatures []string
		for _, token := range []string{
			sign(`{"role":"test_user"}`, key), sign(`{"role":"test_user"}`, strings.ToUpper(key)), sign(`{"role":"test_user","exp":1}`, key),
			sign(`{"role":"nobody_at_all"}`, key), sign(`{"role":5}`, key), sign(`{"role":"test_user","nbf":99999999999}`, key),
		} {
			signatures = append(signatures, token[strings.LastIndexByte(token, '.')+1:])
			for _, target := range []string{"/film", "/nothing", "/secret", "/broken", "/rpc/greet", "/film?id=eq.x", "/"} {
				_, body := ask(t, r.API, "GET", target, "Authorization", "Bearer "+token)
				told.WriteString(body)
			}
		}
		if !strings.Contains(told.String(), "PGRST301") || !strings.Contains(told.String(), "PGRST303") || !strings.Contains(told.String(), "Metropolis") {
			t.Errorf("not what this test is about: %s", told.String())
		}
		for _, target := range []string{"/live", "/ready", "/config", "/schema_cache", "/metrics", "/ui", "/nothing"} {
			_, body := ask(t, r.Admin, "GET", target)
			told.WriteString(body)
		}
		r.Stop(nil)
		for where, text := range map[string]string{"log": r.Log.String() + r.Out.String(), "answers": told.String()} {
			for _, secret := range append(signatures, key, setting) {
				if i := strings.Index(text, secret); i >= 0 {
					t.Errorf("%s: the %s show a secret: %s", format, where, text[max(0, i-200):i+len(secret)])
				}
			}
		}
	}
}
