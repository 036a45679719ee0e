package openapi

import (
	"net"
	"strconv"
	"strings"
)

// address is the URL of the API as clients see it.
type address struct{ scheme, host, basePath string }

// anywhere holds the host keywords for all addresses of the machine.
var anywhere = map[string]bool{"*": true, "*4": true, "!4": true, "*6": true, "!6": true}

func (s *Settings) address() address {
	if s.ProxyURI != "" {
		return proxyAddress(s.ProxyURI)
	}
	return address{"http", joinHostPort(s.Host, strconv.Itoa(s.Port)), "/"}
}

// proxyAddress splits a URI that package config has validated: http or https, a
// host, optionally a port and a path.
func proxyAddress(uri string) address {
	scheme, rest, _ := strings.Cut(uri, "://")
	a := address{scheme: strings.ToLower(scheme), basePath: "/"}
	authority := rest
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, a.basePath = rest[:i], rest[i:]
	}
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
	}
	if n, err := strconv.Atoi(port); err == nil {
		port = strconv.Itoa(n) // removes leading zeros
	} else if a.scheme == "https" {
		port = "443"
	} else {
		port = "80"
	}
	a.host = joinHostPort(host, port)
	return a
}

func joinHostPort(host, port string) string {
	if anywhere[host] {
		host = "0.0.0.0"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

func (d *Document) appendAddress(dst []byte) []byte {
	a := d.address()
	dst = appendText(dst, "host", a.host)
	dst = appendText(dst, "basePath", a.basePath)
	return appendTexts(dst, "schemes", []string{a.scheme})
}
