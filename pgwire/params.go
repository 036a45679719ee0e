package pgwire

import (
	"strconv"
	"strings"
)

// maxParams bounds the parameters that are kept. PostgreSQL reports about 15.
const maxParams = 100

// setParam reuses memory: PostgreSQL 18 reports search_path, which changes with every
// request.
func (c *Conn) setParam(name, value []byte) {
	if p := c.params[string(name)]; p != nil {
		*p = append((*p)[:0], value...)
		return
	}
	if len(c.params) < maxParams {
		p := append([]byte(nil), value...)
		c.params[string(name)] = &p
	}
}

// ParameterStatus is the value of a setting that the server reports, "" for others.
func (c *Conn) ParameterStatus(name string) string {
	if p := c.params[name]; p != nil {
		return string(*p)
	}
	return ""
}

// ServerVersion is the server's version as a number, such as 150018 for 15.18. It is 0
// if the version is unknown.
func (c *Conn) ServerVersion() int {
	text, _, _ := strings.Cut(c.ParameterStatus("server_version"), " ")
	major, minor, _ := strings.Cut(text, ".")
	digits := func(r rune) bool { return r < '0' || r > '9' }
	if i := strings.IndexFunc(major, digits); i >= 0 { // 18beta1
		major = major[:i]
	}
	n, err := strconv.Atoi(major)
	if err != nil {
		return 0
	}
	m, _ := strconv.Atoi(minor)
	return n*10000 + m
}
