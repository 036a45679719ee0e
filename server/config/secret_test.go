package config

import "testing"

// TestSecretByURL: which secrets are addresses of key sets. A file with an address must not
// make that public text a secret.
func TestSecretByURL(t *testing.T) {
	f := func(text, url, problem string, env ...string) {
		t.Helper()
		for _, text := range []string{text, "@" + write(t, "secret", text+"\n")} {
			c, err := Load(LoadOptions{Env: append(env, "PGRST_JWT_SECRET="+text)})
			switch {
			case problem != "":
				if err == nil || err.Error() != problem {
					t.Errorf("%s: got %v, want %s", text, err, problem)
				}
			case err != nil:
				t.Errorf("%s: %v", text, err)
			case c.JWTSecretURL != url || (c.JWTSecret == nil) != (url != ""):
				t.Errorf("%s: URL %q, secret %q", text, c.JWTSecretURL, c.JWTSecret)
			}
		}
	}
	const (
		address = "https://login.example/.well-known/jwks.json"
		unclear = "jwt-secret is not the URL of a key set: it must be a URL with a host, and without a user and a fragment"
	)
	f(address, address, "")
	f("http://127.0.0.1:8000/keys.of.an.issuer", "http://127.0.0.1:8000/keys.of.an.issuer", "")
	f("a secret that has https://login.example/ in it", "", "")
	f("http://login.example/.well-known/jwks.json", "", "jwt-secret is not the URL of a key set: it must be a URL with https, or with http and a loopback address")
	f("https://me:pw@login.example/.well-known/jwks.json", "", unclear)
	f(address, "", "The JWT secret is not valid base64", "PGRST_JWT_SECRET_IS_BASE64=true")
}

// TestIssuersInFile: jwt-issuers, as it is or in a file.
func TestIssuersInFile(t *testing.T) {
	f := func(text, problem string) {
		t.Helper()
		for _, text := range []string{text, "@" + write(t, "issuers", "\n"+text+"\n")} {
			c, err := Load(LoadOptions{Env: []string{"PGRST_JWT_ISSUERS=" + text}})
			switch {
			case problem != "":
				if err == nil || err.Error() != problem {
					t.Errorf("%s: got %v, want %s", text, err, problem)
				}
			case err != nil || len(c.JWTIssuers) != 1 || c.JWTIssuers[0].Name != "https://login.example" || !c.TakesTokens():
				t.Errorf("%s: %v", text, err)
			}
		}
	}
	f(`[{"issuer":"https://login.example","audiences":"any","discovery":true}]`, "")
	f(`[{"issuer":"https://login.example","discovery":true}]`, `jwt-issuers is not usable: element 1: audiences is missing: name those of this server, or write "any"`)
	f(`{}`, "jwt-issuers is not usable: it is not a JSON array")
	if _, err := Load(LoadOptions{Env: []string{"PGRST_JWT_ISSUERS=@nowhere/nope"}}); err == nil || err.Error() != "the file of jwt-issuers cannot be read: nowhere/nope: no such file or directory" {
		t.Error(err)
	}
}
