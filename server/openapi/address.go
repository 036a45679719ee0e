package openapi

import (
	"net"
	"net/url"
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
	u, err := url.Parse(uri)
	if err != nil {
		return address{}
	}
	port := u.Port()
	if n, err := strconv.Atoi(port); err == nil {
		port = strconv.Itoa(n) // removes leading zeros
	} else if u.Scheme == "https" {
		port = "443"
	} else {
		port = "80"
	}
	return address{u.Scheme, joinHostPort(u.Hostname(), port), u.RequestURI()}
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
