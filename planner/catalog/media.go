package catalog

import "strings"

const (
	planTextMedia = `application/vnd.pgrst.plan+text; for="application/json"`
	planJSONMedia = `application/vnd.pgrst.plan+json; for="application/json"`
)

// canonicalMedia are the media types PostgREST knows under several names, or
// spells its own way, by lower case name.
var canonicalMedia = map[string]string{
	"application/vnd.pgrst.object":      "application/vnd.pgrst.object+json",
	"application/vnd.pgrst.array":       "application/json",
	"application/vnd.pgrst.array+json":  "application/json",
	"application/vnd.pgrst.plan":        planTextMedia,
	"application/vnd.pgrst.plan+text":   planTextMedia,
	"application/vnd.pgrst.plan+json":   planJSONMedia,
	"application/json":                  "application/json",
	"application/geo+json":              "application/geo+json",
	"application/openapi+json":          "application/openapi+json",
	"application/octet-stream":          "application/octet-stream",
	"application/x-www-form-urlencoded": "application/x-www-form-urlencoded",
	"application/vnd.pgrst.object+json": "application/vnd.pgrst.object+json",
	"text/csv":                          "text/csv",
	"text/plain":                        "text/plain",
	"text/xml":                          "text/xml",
	"*/*":                               "*/*",
}

// handlerMediaType returns the media type by which requests select the handler
// with this domain name.
func handlerMediaType(domain string) string {
	lower := strings.ToLower(domain)
	if known, ok := canonicalMedia[lower]; ok {
		return known
	}
	return lower
}

// contentType returns the Content-Type of that handler's output. Types unknown to
// PostgREST keep the case in which they were created.
func contentType(domain string) string {
	if domain == "*/*" {
		return "application/octet-stream"
	}
	if known, ok := canonicalMedia[strings.ToLower(domain)]; ok {
		return known
	}
	return domain
}
