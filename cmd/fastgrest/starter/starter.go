package starter

import (
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// Options of a new API. The names are those of the database, without quotes.
type Options struct {
	URI           string // of the database, as a URL; user and password are set by Config
	Schema        string
	AnonRole      string // of requests without a token
	UserRole      string // of requests with a token
	Authenticator string // that the server connects as

	Password  string // of the authenticator; "" for none
	JWTSecret string
}

// Secret returns 32 random bytes as text of the letters, digits, - and _.
func Secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// The texts have names in braces, which are replaced. Text that replaces a name is not searched for names.
var (
	//go:embed text/roles.sql
	rolesText string
	//go:embed text/fastgrest.conf
	configText string
)

// quoteSetting quotes a text for the configuration file.
func quoteSetting(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `$$`).Replace(text) + `"`
}

func (o *Options) check() error {
	names := []string{o.Schema, o.AnonRole, o.UserRole, o.Authenticator}
	for i, name := range names {
		switch {
		case name == "" || len(name) > 63 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return errors.New("a name has 1 to 63 bytes, and no control characters")
		case !utf8.ValidString(name):
			return errors.New("a name is not UTF-8")
		case i == 0 && strings.Contains(name, ","):
			return errors.New("the name of the schema has a comma, which separates schemas in db-schemas")
		}
	}
	if o.AnonRole == o.UserRole || o.AnonRole == o.Authenticator || o.UserRole == o.Authenticator {
		return errors.New("the three roles need different names")
	}
	return nil
}

// SQL returns the SQL that makes roles and schema. It is one transaction for psql.
func SQL(o Options) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	note, password := `It has no password yet. In psql, \password `+sqlgen.Ident(o.Authenticator)+` sets one.`, ""
	if o.Password != "" {
		v, err := verifier(o.Password)
		if err != nil {
			return nil, err
		}
		note, password = "This is a verifier of the password. The password itself is in the configuration file.", "\n  PASSWORD "+sqlgen.Literal(v)
	}
	return replace(rolesText, "{password-note}", note, "{password}", password, "{user-role-json}", string(jsontext.AppendString(nil, o.UserRole)),
		"{authenticator}", sqlgen.Ident(o.Authenticator), "{anon-role}", sqlgen.Ident(o.AnonRole), "{user-role}", sqlgen.Ident(o.UserRole), "{schema}", sqlgen.Ident(o.Schema)), nil
}

// Config returns the configuration file.
func Config(o Options) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	uri, err := url.Parse(o.URI)
	if err != nil || uri.Scheme != "postgresql" && uri.Scheme != "postgres" {
		return nil, errors.New("the address of the database begins with postgresql://")
	}
	uri.User = url.User(o.Authenticator)
	if o.Password != "" {
		uri.User = url.UserPassword(o.Authenticator, o.Password)
	}
	if uri.Host == "" { // a URL without a host cannot have a user; libpq takes a parameter
		q := uri.Query()
		q.Set("user", o.Authenticator)
		if o.Password != "" {
			q.Set("password", o.Password)
		}
		uri.User, uri.RawQuery = nil, q.Encode()
	}
	note := "The database."
	if o.Password == "" {
		note += " The password of the role comes from PGPASSWORD or ~/.pgpass."
	}
	return replace(configText, "{uri-note}", note, "{uri}", quoteSetting(uri.String()),
		"{schema}", quoteSetting(o.Schema), "{anon-role}", quoteSetting(o.AnonRole), "{jwt-secret}", quoteSetting(o.JWTSecret)), nil
}

func replace(text string, pairs ...string) []byte {
	return []byte(strings.NewReplacer(pairs...).Replace(text))
}
