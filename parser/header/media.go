package header

// Kind is one of the media types PostgREST knows by name.
type Kind uint8

const (
	Other Kind = iota // anything else; Media.Text has it
	JSON
	GeoJSON
	CSV
	Plain
	XML
	OpenAPI
	Form
	OctetStream
	Any            // */*
	ArrayStripped  // vnd.pgrst.array+json;nulls=stripped (without the parameter it is JSON)
	Object         // vnd.pgrst.object+json
	ObjectStripped // the same with nulls=stripped
	Plan           // vnd.pgrst.plan, for another media type
	NDJSON         // application/x-ndjson: a row per line; PostgREST does not know it
)

// PlanOptions are the options of an execution plan.
type PlanOptions uint8

const (
	PlanAnalyze PlanOptions = 1 << iota
	PlanVerbose
	PlanSettings
	PlanBuffers
	PlanWAL
)

var planOptionNames = [...]string{"analyze", "verbose", "settings", "buffers", "wal"}

// Media is one media type. It is comparable and can be part of a key. Two spellings
// of a known type are equal, two spellings of an unknown type are not.
type Media struct {
	Kind     Kind
	For      Kind        // Plan: the type of the planned response
	PlanJSON bool        // Plan: as JSON rather than text
	Options  PlanOptions // Plan
	Text     string      // Other, and Plan for Other: the text of the type
}

// Inner returns the media type that an execution plan is for.
func (m Media) Inner() Media { return Media{Kind: m.For, Text: m.Text} }

// mimes are the names of the types in responses. Plan and Other have none.
var mimes = [...]string{
	JSON:           "application/json",
	GeoJSON:        "application/geo+json",
	CSV:            "text/csv",
	Plain:          "text/plain",
	XML:            "text/xml",
	OpenAPI:        "application/openapi+json",
	Form:           "application/x-www-form-urlencoded",
	OctetStream:    "application/octet-stream",
	Any:            "*/*",
	ArrayStripped:  "application/vnd.pgrst.array+json;nulls=stripped",
	Object:         "application/vnd.pgrst.object+json",
	ObjectStripped: "application/vnd.pgrst.object+json;nulls=stripped",
	Plan:           "application/vnd.pgrst.plan+",
	NDJSON:         "application/x-ndjson",
}

// AppendMime appends the type for headers and messages.
func (m Media) AppendMime(dst []byte) []byte {
	switch m.Kind {
	case Other:
		return append(dst, m.Text...)
	case Plan:
		return m.appendPlan(dst)
	}
	return append(dst, mimes[m.Kind]...)
}

func (m Media) appendPlan(dst []byte) []byte {
	dst = append(dst, mimes[Plan]...)
	if m.PlanJSON {
		dst = append(dst, `json; for="`...)
	} else {
		dst = append(dst, `text; for="`...)
	}
	dst = append(m.Inner().AppendMime(dst), '"')
	separator := "; options="
	for i, name := range planOptionNames {
		if m.Options&(1<<i) != 0 {
			dst = append(append(dst, separator...), name...)
			separator = "|"
		}
	}
	return dst
}

// AppendContentType appends the value of Content-Type for a body of this type.
// Binary and unknown types and NDJSON, which is UTF-8, have no charset.
func (m Media) AppendContentType(dst []byte) []byte {
	dst = m.AppendMime(dst)
	if m.Kind == OctetStream || m.Kind == Other || m.Kind == NDJSON {
		return dst
	}
	return append(dst, "; charset=utf-8"...)
}

// String is AppendMime for messages and tests.
func (m Media) String() string { return string(m.AppendMime(nil)) }

// family is the rule by which a known name becomes a Kind.
type family uint8

const (
	famPlain  family = iota // the Kind, whatever the parameters
	famArray                // JSON, or ArrayStripped with nulls=stripped
	famObject               // Object, or ObjectStripped with nulls=stripped
	famPlan
)

var names = [...]struct {
	main, sub string
	family    family
	kind      Kind
	planJSON  bool
}{
	{"application", "json", famPlain, JSON, false},
	{"*", "*", famPlain, Any, false},
	{"application", "geo+json", famPlain, GeoJSON, false},
	{"text", "csv", famPlain, CSV, false},
	{"text", "plain", famPlain, Plain, false},
	{"text", "xml", famPlain, XML, false},
	{"application", "openapi+json", famPlain, OpenAPI, false},
	{"application", "x-www-form-urlencoded", famPlain, Form, false},
	{"application", "octet-stream", famPlain, OctetStream, false},
	{"application", "x-ndjson", famPlain, NDJSON, false},
	{"application", "vnd.pgrst.object+json", famObject, Object, false},
	{"application", "vnd.pgrst.object", famObject, Object, false},
	{"application", "vnd.pgrst.array+json", famArray, JSON, false},
	{"application", "vnd.pgrst.array", famArray, JSON, false},
	{"application", "vnd.pgrst.plan", famPlan, Plan, false},
	{"application", "vnd.pgrst.plan+text", famPlan, Plan, false},
	{"application", "vnd.pgrst.plan+json", famPlan, Plan, true},
}

// ParseContentType parses a Content-Type value. nil, for a request without the
// header, is JSON.
func ParseContentType(value []byte) Media {
	if value == nil {
		return Media{Kind: JSON}
	}
	return ParseMedia(value)
}

// ParseMedia parses one media type. Letter case of names does not matter. Text
// after the last valid parameter is ignored.
func ParseMedia(text []byte) Media {
	main, sub, params, ok := splitMedia(text)
	if !ok {
		return other(text)
	}
	for i := range names {
		n := &names[i]
		if !equalFold(sub, n.sub) || !equalFold(main, n.main) {
			continue
		}
		switch n.family {
		case famArray:
			if stripped(params) {
				return Media{Kind: ArrayStripped}
			}
		case famObject:
			if stripped(params) {
				return Media{Kind: ObjectStripped}
			}
		case famPlan:
			return parsePlan(params, n.planJSON)
		}
		return Media{Kind: n.kind}
	}
	return other(text)
}

func other(text []byte) Media {
	for i, c := range text {
		if c >= 0x80 {
			return Media{Text: string(appendUTF8(append(make([]byte, 0, 2*len(text)), text[:i]...), text[i:]))}
		}
	}
	return Media{Text: string(text)}
}

func stripped(params []byte) bool {
	value, ok := lastParam(params, "nulls")
	return ok && string(value) == "stripped"
}

// parsePlan parses for= and options=. The plan of a plan is an unknown type, whose
// text is the parsed type in normal form.
func parsePlan(params []byte, asJSON bool) Media {
	m := Media{Kind: Plan, For: JSON, PlanJSON: asJSON}
	if value, ok := lastParam(params, "for"); ok {
		inner := ParseMedia(value)
		m.For, m.Text = inner.Kind, inner.Text
		if inner.Kind == Plan {
			m.For, m.Text = Other, inner.String()
		}
	}
	options, _ := lastParam(params, "options")
	for len(options) > 0 {
		end := 0
		for end < len(options) && options[end] != '|' {
			end++
		}
		for i, name := range planOptionNames {
			if string(options[:end]) == name {
				m.Options |= 1 << i
			}
		}
		options = options[min(end+1, len(options)):]
	}
	return m
}

// splitMedia splits a media type into main/sub and the rest.
func splitMedia(text []byte) (main, sub, params []byte, ok bool) {
	i := 0
	for i < len(text) && (isAlnum(text[i]) || text[i] == '.' || text[i] == '*') {
		i++
	}
	if i == 0 || i == len(text) || text[i] != '/' {
		return nil, nil, nil, false
	}
	j := i + 1
	for j < len(text) && isSubChar(text[j]) {
		j++
	}
	return text[:i], text[i+1 : j], text[j:], j > i+1
}

func isSubChar(c byte) bool {
	return isAlnum(c) || c == '.' || c == '*' || c == '+' || c == '-'
}

// lastParam returns the value of a parameter. The last one of a name counts.
func lastParam(params []byte, name string) (value []byte, found bool) {
	for {
		k, v, rest, ok := cutParam(params)
		if !ok {
			return value, found
		}
		if equalFold(k, name) {
			value, found = v, true
		}
		params = rest
	}
}

// cutParam parses one "; key = value". A value is the text between two quotes,
// without escapes, or consists of alphanumerics, bars and dashes.
func cutParam(b []byte) (key, value, rest []byte, ok bool) {
	b = skipSpace(b)
	if len(b) == 0 || b[0] != ';' {
		return nil, nil, nil, false
	}
	b = skipSpace(b[1:])
	i := 0
	for i < len(b) && (isAlnum(b[i]) || b[i] == '-') {
		i++
	}
	key, b = b[:i], skipSpace(b[i:])
	if i == 0 || len(b) == 0 || b[0] != '=' {
		return nil, nil, nil, false
	}
	b = skipSpace(b[1:])
	if len(b) > 0 && b[0] == '"' {
		for j := 1; j < len(b); j++ {
			if b[j] == '"' {
				return key, b[1:j], b[j+1:], true
			}
		}
		return nil, nil, nil, false
	}
	j := 0
	for j < len(b) && (isAlnum(b[j]) || b[j] == '|' || b[j] == '-') {
		j++
	}
	return key, b[:j], b[j:], j > 0
}
