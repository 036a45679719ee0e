package auth

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// Issuer is a provider whose tokens are accepted: an element of jwt-issuers. Of
// KeySetURL, Discovery and KeySet one is set.
type Issuer struct {
	Name         string   // the iss claim of its tokens
	Audiences    []string // aud has to name one of them; empty: aud is not checked
	KeySetURL    string
	Discovery    bool     // Name is a URL that leads to the keys (OpenID Connect Discovery 1.0)
	KeySet       string   // JSON
	Algorithms   []string // that its tokens may use; empty: those of the keys
	RoleClaimKey string   // "": that of Options
	Roles        []string // that its tokens may name; empty: any
	AnonRole     string   // of its tokens without a role, one of Roles; "": that of Options
}

// maxIssuers bounds jwt-issuers.
const maxIssuers = 100

// ParseIssuers parses a JSON array of issuers. Members that are misspelled, missing or
// repeated are errors, because each of them limits who may do what.
func ParseIssuers(text []byte) ([]Issuer, error) {
	p := jsonParser{text: text}
	v, ok := p.value(0)
	p.next()
	array, isArray := v.([]any)
	switch {
	case !ok || !isArray || p.pos != len(text) || !utf8.Valid(text):
		return nil, errors.New("it is not a JSON array")
	case p.repeated:
		return nil, errors.New("an object has a member twice")
	case len(array) == 0 || len(array) > maxIssuers:
		return nil, fmt.Errorf("it must have 1 to %d issuers", maxIssuers)
	}
	var list []Issuer
	for i, element := range array {
		object, ok := element.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("element %d is not an object", i+1)
		}
		issuer, err := parseIssuer(object)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i+1, err)
		}
		if slices.ContainsFunc(list, func(other Issuer) bool { return other.Name == issuer.Name }) {
			return nil, fmt.Errorf("element %d: there is another element for issuer %q", i+1, issuer.Name)
		}
		list = append(list, issuer)
	}
	return list, nil
}

func parseIssuer(object map[string]any) (issuer Issuer, err error) {
	if issuer.Name, _ = object["issuer"].(string); issuer.Name == "" {
		return issuer, errors.New("issuer must be a text")
	}
	// In sorted order, so that a configuration with several mistakes has one message.
	for _, name := range slices.Sorted(maps.Keys(object)) {
		read := issuerMembers[name]
		if read == nil {
			return issuer, fmt.Errorf("%q is not a member of an issuer; the members are %s", name, strings.Join(slices.Sorted(maps.Keys(issuerMembers)), ", "))
		}
		if err := read(&issuer, object[name]); err != nil {
			return issuer, fmt.Errorf("%s %w", name, err)
		}
	}
	if object["audiences"] == nil {
		return issuer, errors.New(`audiences is missing: name those of this server, or write "any"`)
	}
	sources := 0
	for _, set := range []bool{issuer.KeySetURL != "", issuer.Discovery, issuer.KeySet != ""} {
		if set {
			sources++
		}
	}
	if sources != 1 {
		return issuer, errors.New("one of jwks_uri, discovery and jwks must be set")
	}
	if issuer.AnonRole != "" && len(issuer.Roles) > 0 && !slices.Contains(issuer.Roles, issuer.AnonRole) {
		return issuer, errors.New("anonymous_role must be one of roles")
	}
	if issuer.Discovery {
		if u, err := ParseKeySetURL(issuer.Name); err != nil || u.RawQuery != "" {
			return issuer, errors.New("issuer must be a URL with https and without a query, because discovery is set")
		}
	}
	return issuer, nil
}

// issuerMembers reads each member into its place. An error continues its name.
var issuerMembers = map[string]func(*Issuer, any) error{
	"issuer": func(*Issuer, any) error { return nil }, // read before
	"audiences": func(i *Issuer, v any) (err error) {
		if v == "any" {
			return nil
		}
		if i.Audiences, err = texts(v); err != nil {
			err = errors.New(`must be an array of texts, or "any"`)
		}
		return err
	},
	"jwks_uri": func(i *Issuer, v any) error {
		i.KeySetURL, _ = v.(string)
		if _, err := ParseKeySetURL(i.KeySetURL); err != nil {
			return fmt.Errorf("is not usable: %w", err)
		}
		return nil
	},
	"discovery": func(i *Issuer, v any) (err error) {
		var ok bool
		if i.Discovery, ok = v.(bool); !ok {
			err = errors.New("must be true or false")
		}
		return err
	},
	"jwks": func(i *Issuer, v any) error {
		object, _ := v.(map[string]any)
		if _, err := parseIssuerKeys(object); err != nil {
			return fmt.Errorf("is not usable: %w", err)
		}
		i.KeySet = string(jsontext.AppendValue(nil, object))
		return nil
	},
	"algorithms": func(i *Issuer, v any) (err error) {
		if i.Algorithms, err = texts(v); err != nil {
			return err
		}
		for _, alg := range i.Algorithms {
			if alg == "none" || !slices.Contains(strictTokenAlgs, alg) {
				return fmt.Errorf("has %q; the algorithms are %s", alg, strings.Join(strictTokenAlgs[1:], ", "))
			}
		}
		return nil
	},
	"role_claim_key": func(i *Issuer, v any) error {
		i.RoleClaimKey, _ = v.(string)
		_, err := ParseRolePath(i.RoleClaimKey)
		if err != nil {
			return fmt.Errorf("is not usable: %w", err)
		}
		return nil
	},
	"roles": func(i *Issuer, v any) (err error) {
		i.Roles, err = texts(v)
		return err
	},
	"anonymous_role": func(i *Issuer, v any) (err error) {
		if i.AnonRole, _ = v.(string); i.AnonRole == "" {
			err = errors.New("must be a text")
		}
		return err
	},
}

// texts reads an array of texts that are not empty.
func texts(v any) (list []string, err error) {
	array, _ := v.([]any)
	for _, element := range array {
		text, _ := element.(string)
		if text == "" {
			return nil, errors.New("must be an array of texts")
		}
		list = append(list, text)
	}
	if len(list) == 0 {
		return nil, errors.New("must be an array of texts")
	}
	return list, nil
}

// remote returns the key set that has to be fetched, if there is one.
func (i *Issuer) remote() (r Remote, ok bool) {
	switch {
	case i.KeySetURL != "":
		return Remote{URL: i.KeySetURL}, true
	case i.Discovery:
		return Remote{Issuer: i.Name}, true
	}
	return r, false
}

// authority makes the authority of an issuer. What the issuer leaves open is as in
// general.
func (i *Issuer) authority(general *authority, source func(Remote) KeySource) (from *authority, err error) {
	from = &authority{
		algs: i.Algorithms, audiences: i.Audiences, requireAudience: len(i.Audiences) > 0,
		path: general.path, roles: i.Roles, anonRole: general.anonRole,
	}
	if i.AnonRole != "" {
		from.anonRole = i.AnonRole
	}
	if i.RoleClaimKey != "" {
		if from.path, err = ParseRolePath(i.RoleClaimKey); err != nil {
			return nil, err
		}
	}
	if r, ok := i.remote(); ok {
		from.source = source(r)
		return from, nil
	}
	object, _ := parseObject([]byte(i.KeySet))
	from.keys, err = parseIssuerKeys(object)
	return from, err
}
