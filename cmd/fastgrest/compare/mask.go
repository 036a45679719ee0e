package compare

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const masked = "***"

var (
	token    = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`)
	tokenEnd = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{3,}(?:\.[A-Za-z0-9_-]*)?$`) // a token that is cut
	// words are parts of names whose values are secrets.
	words           = `(?i:token|jwt|secret|passw|api[-_]?key)`
	secretParameter = regexp.MustCompile(`([?&][^=&\s"]*` + words + `[^=&\s"]*=)([^&\s"]+)`)
	secretMember    = regexp.MustCompile(`("[^"]*` + words + `[^"]*"\s*:\s*)"((?:[^"\\]|\\.)*)"?`)
)

var secretHeader = regexp.MustCompile(`^(?i:(?:Proxy-)?Authorization|(?:Set-)?Cookie)$|` + words)

// isSecret reports whether the values of a header never appear in a report.
func isSecret(header string) bool { return secretHeader.MatchString(header) }

// secretsOf are the secrets in a request.
func secretsOf(r *request) (list []string) {
	for name, values := range r.Header {
		if !isSecret(name) {
			continue
		}
		for _, value := range values {
			list = append(list, value)
			if _, credentials, ok := strings.Cut(value, " "); ok {
				list = append(list, credentials)
			}
		}
	}
	for _, m := range secretParameter.FindAllStringSubmatch(r.Target, -1) {
		list = append(list, m[2])
		if value, err := url.QueryUnescape(m[2]); err == nil {
			list = append(list, value)
		}
	}
	for _, m := range secretMember.FindAllSubmatch(r.Body, -1) {
		list = append(list, string(m[2]))
	}
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) }) // mask looks for longer ones first
	return list
}

// mask removes secrets of a request from a text, and what looks like one. It also removes a secret that is cut at the
// end of the text, and the base64 form of a text with a secret.
func mask(text string, secrets []string) string {
	text = maskPlain(text, secrets)
	text = encoded.ReplaceAllStringFunc(text, func(run string) string {
		if hides(run, secrets) {
			return masked
		}
		return run
	})
	text = secretParameter.ReplaceAllString(text, "${1}"+masked)
	return secretMember.ReplaceAllString(text, "${1}\""+masked+"\"")
}

// shortest is the length of the shortest secret, or part of one, that mask looks for. A shorter one would be found in
// innocent text.
const shortest = 6

// maskPlain removes secrets that are not encoded, and tokens.
func maskPlain(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) >= shortest {
			text = withoutEnd(strings.ReplaceAll(text, s, masked), s)
		}
	}
	text = token.ReplaceAllLiteralString(text, masked)
	return tokenEnd.ReplaceAllLiteralString(text, masked)
}

// withoutEnd removes the beginning of a secret from the end of a text, because a body is cut after keptBytes.
func withoutEnd(text, secret string) string {
	at := max(0, len(text)-len(secret))
	for tries := 0; ; tries++ {
		n := strings.Index(text[at:], secret[:shortest])
		if n < 0 {
			return text
		}
		// The tries are bounded for a secret that repeats its beginning. Too much is removed then.
		if at += n; tries == 1000 || strings.HasPrefix(secret, text[at:]) {
			return text[:at] + masked
		}
		at++
	}
}

// encoded is base64 or base64url, perhaps in lines, also within JSON.
var (
	encoded     = regexp.MustCompile(`(?:[A-Za-z0-9+/_-]|\\[rn]|[\r\n]){8,}`)
	encodedText = strings.NewReplacer(`\r`, "", `\n`, "", "\r", "", "\n", "", "-", "+", "_", "/")
)

// hides reports whether base64 has a secret in it. The text before may belong to the same alphabet, so that the
// beginning is not known.
func hides(run string, secrets []string) bool {
	run = encodedText.Replace(run)
	for shift := range min(4, len(run)) {
		part := run[shift:]
		if len(part)%4 == 1 {
			part = part[:len(part)-1]
		}
		text, err := base64.RawStdEncoding.DecodeString(part)
		if err == nil && maskPlain(string(text), secrets) != string(text) {
			return true
		}
	}
	return false
}
