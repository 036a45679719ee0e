package config

import (
	"net/netip"
	"strconv"
	"strings"
)

// uriParts is an RFC 3986 URI split at its delimiters. The parts are checked
// character by character, because net/url accepts more than PostgREST, and
// accepted URIs are printed in the OpenAPI document.
type uriParts struct {
	scheme       string
	hasAuthority bool
	user         string // with its @
	host         string
	port         string // with its colon
	path         string
	query        string // with its question mark
	fragment     string // with its hash
}

func parseURI(s string) (u uriParts, ok bool) {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || !isScheme(scheme) {
		return u, false
	}
	u.scheme = scheme
	if i := strings.IndexByte(rest, '#'); i >= 0 {
		rest, u.fragment = rest[:i], rest[i:]
	}
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		rest, u.query = rest[:i], rest[i:]
	}
	if after, found := strings.CutPrefix(rest, "//"); found {
		u.hasAuthority = true
		end := strings.IndexByte(after, '/')
		if end < 0 {
			end = len(after)
		}
		if !u.authority(after[:end]) {
			return u, false
		}
		rest = after[end:]
	}
	u.path = rest
	return u, uriText(u.path, ":@/") && uriText(strings.TrimPrefix(u.query, "?"), ":@/?") &&
		uriText(strings.TrimPrefix(u.fragment, "#"), ":@/?")
}

func (u *uriParts) authority(s string) bool {
	if i := strings.IndexByte(s, '@'); i >= 0 {
		u.user, s = s[:i+1], s[i+1:]
		if !uriText(s[:0]+u.user[:i], ":") {
			return false
		}
	}
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		u.host, s = s[:end+1], s[end+1:]
		addr, err := netip.ParseAddr(strings.Replace(u.host[1:end], "%25", "%", 1))
		if err != nil || !addr.Is6() {
			return false
		}
		if s != "" && s[0] != ':' {
			return false
		}
		u.port = s
	} else {
		u.host = s
		if i := strings.IndexByte(s, ':'); i >= 0 {
			u.host, u.port = s[:i], s[i:]
		}
	}
	return (strings.HasPrefix(u.host, "[") || uriText(u.host, "")) && onlyDigits(strings.TrimPrefix(u.port, ":"))
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		letter := s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z'
		if !letter && (i == 0 || !isDigit(s[i]) && !strings.ContainsRune("+-.", rune(s[i]))) {
			return false
		}
	}
	return s != ""
}

// uriText reports whether s has only unreserved characters, escapes, subordinate
// delimiters and the characters in more.
func uriText(s, more string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isDigit(c), c|0x20 >= 'a' && c|0x20 <= 'z':
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
			i += 2
		case strings.IndexByte("-_.~!$&'()*+,;=", c) < 0 && strings.IndexByte(more, c) < 0:
			return false
		}
	}
	return true
}

func onlyDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func isURI(s string) bool {
	_, ok := parseURI(s)
	return ok
}

// isProxyURI accepts an http or https address with a host and only the parts that
// a base address can have.
func isProxyURI(s string) bool {
	u, ok := parseURI(s)
	if !ok || u.fragment != "" || u.query != "" || !u.hasAuthority || u.user != "" || u.host == "" {
		return false
	}
	if !strings.EqualFold(u.scheme, "http") && !strings.EqualFold(u.scheme, "https") {
		return false
	}
	if u.port == "" {
		return true
	}
	port, err := strconv.ParseUint(u.port[1:], 10, 64)
	return err == nil && port > 0 && port < 65536
}
