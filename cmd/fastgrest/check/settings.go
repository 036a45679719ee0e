package check

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/server/config"
)

// unusable is the finding of a configuration that cannot be loaded.
func unusable(err error) Finding {
	f := Finding{Level: Error, Check: "setting-invalid", Found: err.Error(), Why: "The server does not start.", Do: "# correct the configuration; fastgrest --example shows all settings"}
	var e *config.Error
	if errors.As(err, &e) && e.Key == "jwt-secret" {
		f.Check, f.Do = "jwt-secret-invalid", "# make one with: openssl rand -base64 32\njwt-secret = \"...\""
	}
	return f
}

// settingRule is a rule about the configuration alone.
type settingRule struct {
	Finding
	on func(*config.Config) bool
}

var settingRules = []settingRule{
	{Finding{Error, "jwt-secret-missing", "Neither db-anon-role nor jwt-secret is set.", "The server refuses every request.",
		"db-anon-role = \"web_anon\"\n# or, for tokens: jwt-secret = \"...\""},
		func(c *config.Config) bool { return c.DBAnonRole == "" && !c.TakesTokens() }},
	{Finding{Error, "jwt-secret-known", "The jwt-secret is an example from documentation.", "Everybody can sign a token for every role of the API.",
		"# make one with: openssl rand -base64 32\njwt-secret = \"...\""},
		func(c *config.Config) bool { return knownSecret(c.JWTSecret) }},
	{Finding{Warning, "jwt-setting-unused", "jwt-aud is set, and jwt-secret is not.", "Without jwt-secret the server refuses every token.",
		"jwt-secret = \"...\"\n# or remove jwt-aud"},
		func(c *config.Config) bool { return c.JWTSecret == nil && c.JWTSecretURL == "" && c.JWTAudience != "" }},
	{Finding{Warning, "tx-rollback", "db-tx-end rolls transactions back.", "Writes succeed, and nothing of them is kept.",
		`db-tx-end = "commit"`},
		func(c *config.Config) bool { return c.DBTxEnd.Rollback }},
	{Finding{Warning, "plan-enabled", "db-plan-enabled is on.", "Clients see execution plans, with estimates of rows that row security hides.",
		`db-plan-enabled = false`},
		func(c *config.Config) bool { return c.DBPlanEnabled }},
	{Finding{Advice, "aggregates-enabled", "db-aggregates-enabled is on.", "An aggregate reads a whole table, which db-max-rows does not limit and a statement_timeout does.",
		"db-aggregates-enabled = false\n# or keep it on, with a statement_timeout for each role"},
		func(c *config.Config) bool { return c.DBAggregatesEnabled }},
	{Finding{Advice, "distinct-enabled", "db-distinct-enabled is on.", "A request with distinct may sort a whole table, which db-max-rows does not limit and a statement_timeout does.",
		"db-distinct-enabled = false\n# or keep it on, with a statement_timeout for each role"},
		func(c *config.Config) bool { return c.DBDistinctEnabled }},
	{Finding{Advice, "openapi-all", "openapi-mode is ignore-privileges.", "The document at / shows tables and functions that the role of the request may not use.",
		`openapi-mode = "follow-privileges"`},
		func(c *config.Config) bool { return c.OpenAPIMode == config.IgnorePrivileges }},
	{Finding{Advice, "max-rows-missing", "db-max-rows is not set.", "One request may read a whole table.",
		"db-max-rows = 1000"},
		func(c *config.Config) bool { return c.DBMaxRows < 0 }},
	{Finding{Advice, "admin-missing", "There is no admin server.", "Health checks and metrics need it.",
		"admin-server-port = 3001"},
		func(c *config.Config) bool { return c.AdminServerPort == 0 && c.AdminServerUnixSocket == "" }},
	{Finding{Advice, "reload-missing", "db-channel-enabled and db-schema-poll-interval are off.", "After a change of the schema the server needs a signal.",
		"db-channel-enabled = true"},
		func(c *config.Config) bool { return !c.DBChannelEnabled && c.DBSchemaPollInterval == 0 }},
	{Finding{Advice, "error-hints", `client-error-hints is "grant".`, "Clients see which privilege a role does not have, and the name of the role.",
		`client-error-hints = ""`},
		func(c *config.Config) bool { return c.ClientErrorHints != config.NoHints }},
}

// knownSecrets are parts of secrets that tutorials and example files have.
var knownSecrets = []string{"reallyreallyreallyreallyverysafe", "super-secret-jwt-token-with-at-least-32-characters", "secret-at-least-32-characters",
	"the-kitchen-is-open-from-six-to-nine"}

func knownSecret(secret []byte) bool {
	text := strings.ToLower(string(secret))
	if slices.ContainsFunc(knownSecrets, func(known string) bool { return strings.Contains(text, known) }) {
		return true
	}
	return len(secret) > 0 && len(bytes.Trim(secret, string(rune(secret[0])))) == 0 // one letter, repeated
}

// checkSettings looks at the configuration alone.
func checkSettings(c *config.Config) []Finding {
	var list []Finding
	for _, w := range c.Warnings {
		list = append(list, Finding{Warning, "setting-ignored", w + ".", "The default is in force instead.", "# correct or remove it"})
	}
	for _, rule := range settingRules {
		if rule.on(c) {
			list = append(list, rule.Finding)
		}
	}
	return list
}
