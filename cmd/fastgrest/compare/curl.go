package compare

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxShown   = 2 << 10  // length of a body that a command shows
	maxCommand = 16 << 10 // length of a command, because a report has many
)

var notInVariable = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// curl is the command that sends a request to a server. Variables of the shell stand for secrets.
func curl(s *server, r *request, secrets []string) string {
	args := []string{"curl", "-gi"}
	switch {
	case r.Method == http.MethodHead:
		args[1] = "-gI"
	case r.Method != http.MethodGet:
		args = append(args, "-X", r.Method)
	case len(r.Body) > 0:
		args = append(args, "-X", "GET")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			if isSecret(name) {
				args = append(args, "-H", `"`+name+": "+variable(name, value, r.Role)+`"`)
			} else {
				args = append(args, "-H", quote(name+": "+visible(mask(value, secrets))))
			}
		}
	}
	if len(r.Body) > 0 {
		text := mask(string(r.Body), secrets)
		if len(text) > maxShown || !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			args = append(args, "--data-binary", "@BODY")
		} else {
			args = append(args, "--data-raw", quote(text))
		}
	}
	return cut(strings.Join(append(args, quote(visible(s.address(mask(r.Target, secrets))))), " "), maxCommand)
}

// variable is what stands for the value of a secret header.
func variable(name, value, role string) string {
	name = "$" + notInVariable.ReplaceAllString(strings.ToUpper(name), "_")
	if name != "$AUTHORIZATION" {
		return name
	}
	scheme, _, ok := strings.Cut(value, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return name
	}
	if role = notInVariable.ReplaceAllString(role, "_"); role != "" {
		return "Bearer $TOKEN_" + role
	}
	return "Bearer $TOKEN"
}

// quote quotes s for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
