package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The file's grammar is that of the configurator family PostgREST uses:
//
//	file      = directive*                     one a line, # to the end of the line is a comment
//	directive = name "=" value
//	          | name "{" directive* "}"        prefixes the names inside with "name."
//	          | import "path"                  relative to the importing file
//	          | "#;" directive                 comments out one directive, however long
//	name      = word ("." word)*               a word is a letter, then letters, digits, _ and -
//	value     = text | number | on | off | true | false | "[" value ("," value)* "]"
//
// In texts \n \t \r \" \\ and \uXXXX are escapes, $(name) is replaced by the
// key of that name seen before (innermost group first) or else the environment
// variable, and $$ is a dollar sign.

// Whoever writes the file can do worse than use up memory; these bounds turn
// mistakes, such as a file that imports itself, into errors.
const (
	maxFileSize = 8 << 20 // also of one value after its variables are replaced
	maxImports  = 256     // in all
	maxNesting  = 64
)

// readFile reads a file and all it imports into one flat map.
func readFile(path string, getenv func(string) (string, bool)) (map[string]value, error) {
	r := &fileReader{read: os.ReadFile, getenv: getenv, values: map[string]value{}}
	if err := r.importFile("", path); err != nil {
		return nil, err
	}
	return r.values, nil
}

type fileReader struct {
	read   func(path string) ([]byte, error)
	getenv func(string) (string, bool)
	values map[string]value
	files  int // read so far
}

func (r *fileReader) importFile(prefix, path string) error {
	if r.files++; r.files > maxImports {
		return &Error{Kind: FileError, Text: fmt.Sprintf("%s: more than %d imports", path, maxImports)}
	}
	data, err := r.read(path)
	if err != nil {
		return &Error{Kind: FileError, Text: fileText(path, err), Err: err}
	}
	if len(data) > maxFileSize {
		return &Error{Kind: FileError, Text: fmt.Sprintf("%s: larger than %d bytes", path, maxFileSize)}
	}
	if !utf8.Valid(data) {
		return &Error{Kind: FileError, Text: path + ": not valid UTF-8"}
	}
	p := &fileParser{reader: r, path: path, name: path, text: string(data)}
	return p.file(prefix)
}

// fileText words a failure to read a file with its name first.
func fileText(path string, err error) string {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return path + ": " + err.Error()
}

// fileParser reads one file, applying each directive as soon as it is read:
// later texts may refer to earlier keys.
type fileParser struct {
	reader *fileReader
	path   string // of the file, for imports
	name   string // what errors call the text
	text   string
	pos    int
	nested int // groups and lists around pos
	muted  int // inside a directive that is commented out
}

func (p *fileParser) file(prefix string) error {
	if err := p.directives(prefix, false); err != nil {
		return err
	}
	if p.pos < len(p.text) {
		return p.unexpected("a name, import or end of file")
	}
	return nil
}

// directives reads up to the end of the text or, in a group, its closing brace.
func (p *fileParser) directives(prefix string, group bool) error {
	for {
		p.skipLines()
		if p.pos == len(p.text) || group && p.text[p.pos] == '}' {
			return nil
		}
		if err := p.directive(prefix); err != nil {
			return err
		}
		p.skipBlanks()
		if p.pos == len(p.text) || group && p.text[p.pos] == '}' {
			return nil
		}
		if !p.accept("\n") && !p.accept("\r\n") {
			return p.unexpected("end of line")
		}
	}
}

func (p *fileParser) directive(prefix string) error {
	if p.accept("#;") {
		p.skipBlanks()
		p.muted++
		err := p.directive(prefix)
		p.muted--
		return err
	}
	start := p.pos
	name := p.identifier()
	if name == "" {
		return p.unexpected("a name or import")
	}
	if name == "import" {
		p.skipLines()
		path, err := p.textLiteral()
		if err != nil || p.muted > 0 {
			return err
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(p.path), path)
		}
		return p.reader.importFile(prefix, path)
	}
	p.skipLines()
	switch {
	case p.accept("="):
		p.skipLines()
		v, err := p.value()
		if err != nil || p.muted > 0 {
			return err
		}
		return p.bind(prefix, name, v)
	case p.accept("{"):
		if p.nested++; p.nested > maxNesting {
			p.pos = start
			return p.unexpected("fewer groups inside each other")
		}
		if err := p.directives(prefix+name+".", true); err != nil {
			return err
		}
		p.nested--
		if !p.accept("}") {
			return p.unexpected("'}'")
		}
		return nil
	default:
		return p.unexpected("'=' or '{'")
	}
}

func (p *fileParser) bind(prefix, name string, v value) error {
	if v.kind == textValue && strings.Contains(v.text, "$") {
		text, err := p.interpolate(prefix, prefix+name, v.text)
		if err != nil {
			return err
		}
		v.text = text
	}
	p.reader.values[prefix+name] = v
	return nil
}

func (p *fileParser) value() (value, error) {
	for _, w := range []struct {
		word string
		on   bool
	}{{"on", true}, {"off", false}, {"true", true}, {"false", false}} {
		if p.accept(w.word) {
			return value{kind: boolValue, on: w.on}, nil
		}
	}
	if p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			text, err := p.textLiteral()
			return textOf(text), err
		case isDigit(c):
			return p.number(), nil
		case c == '[':
			return p.list()
		}
	}
	return value{}, p.unexpected(`"false", "off", "on", "true", '"', '[' or a digit`)
}

func (p *fileParser) number() value {
	start := p.pos
	p.skipDigits()
	if p.digitAt(1) && p.text[p.pos] == '.' {
		p.pos++
		p.skipDigits()
	}
	if p.pos < len(p.text) && (p.text[p.pos] == 'e' || p.text[p.pos] == 'E') {
		switch {
		case p.digitAt(1):
			p.pos++
			p.skipDigits()
		case p.digitAt(2) && (p.text[p.pos+1] == '+' || p.text[p.pos+1] == '-'):
			p.pos += 2
			p.skipDigits()
		}
	}
	return value{kind: numberValue, text: p.text[start:p.pos]}
}

func (p *fileParser) list() (value, error) {
	if p.nested++; p.nested > maxNesting {
		return value{}, p.unexpected("fewer lists inside each other")
	}
	defer func() { p.nested-- }()
	p.accept("[")
	v := value{kind: listValue}
	p.skipLines()
	if p.accept("]") {
		return v, nil
	}
	for {
		item, err := p.value()
		if err != nil {
			return v, err
		}
		v.list = append(v.list, item)
		p.skipLines()
		switch {
		case p.accept(","):
			p.skipLines()
		case p.accept("]"):
			return v, nil
		default:
			return v, p.unexpected("',' or ']'")
		}
	}
}

func (p *fileParser) textLiteral() (string, error) {
	if !p.accept(`"`) {
		return "", p.unexpected(`'"'`)
	}
	var b strings.Builder
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == '"':
			p.pos++
			return b.String(), nil
		case c != '\\':
			b.WriteByte(c)
			p.pos++
		default:
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
		}
	}
	return "", p.unexpected(`'"' or a character`)
}

var escapes = map[byte]rune{'n': '\n', 't': '\t', 'r': '\r', '"': '"', '\\': '\\'}

func (p *fileParser) escape() (rune, error) {
	p.pos++ // the backslash
	if p.pos == len(p.text) {
		return 0, p.unexpected(`'"', '\', 'n', 'r', 't' or 'u'`)
	}
	c := p.text[p.pos]
	if r, ok := escapes[c]; ok {
		p.pos++
		return r, nil
	}
	if c != 'u' {
		return 0, p.unexpected(`'"', '\', 'n', 'r', 't' or 'u'`)
	}
	p.pos++
	r, err := p.hexQuad()
	if err != nil || r < 0xD800 || r > 0xDFFF {
		return r, err
	}
	if !p.accept(`\u`) {
		return 0, p.unexpected(`"\u"`)
	}
	low, err := p.hexQuad()
	if err != nil {
		return 0, err
	}
	if r > 0xDBFF || low < 0xDC00 || low > 0xDFFF {
		return 0, p.failure("invalid UTF-16 surrogates")
	}
	return (r-0xD800)<<10 + (low - 0xDC00) + 0x10000, nil
}

func (p *fileParser) hexQuad() (rune, error) {
	end := p.pos
	for end < len(p.text) && end < p.pos+4 && isHex(p.text[end]) {
		end++
	}
	if end < p.pos+4 {
		p.pos = end
		return 0, p.unexpected("hexadecimal digit")
	}
	n, _ := strconv.ParseUint(p.text[p.pos:end], 16, 32)
	p.pos = end
	return rune(n), nil
}

// interpolate resolves the dollars of a text. Its errors point into the text,
// not the file.
func (p *fileParser) interpolate(prefix, key, text string) (string, error) {
	q := &fileParser{name: "<" + key + ">", text: text}
	var b strings.Builder
	for {
		i := strings.IndexByte(q.text[q.pos:], '$')
		if i < 0 {
			b.WriteString(q.text[q.pos:])
			return b.String(), nil
		}
		b.WriteString(q.text[q.pos : q.pos+i])
		q.pos += i + 1
		switch {
		case q.accept("$"):
			b.WriteByte('$')
		case q.accept("("):
			end := strings.IndexByte(q.text[q.pos:], ')')
			if end == 0 {
				return "", q.unexpected("a name")
			}
			if end < 0 {
				q.pos = len(q.text)
				return "", q.unexpected("')'")
			}
			resolved, err := p.variable(prefix, key, q.text[q.pos:q.pos+end])
			if err != nil {
				return "", err
			}
			if b.WriteString(resolved); b.Len() > maxFileSize {
				return "", q.failure(fmt.Sprintf("longer than %d bytes", maxFileSize))
			}
			q.pos += end + 1
		default:
			return "", q.unexpected("'$' or '('")
		}
	}
}

func (p *fileParser) variable(prefix, key, name string) (string, error) {
	for scope := prefix; ; {
		if v, ok := p.reader.values[scope+name]; ok {
			switch v.kind {
			case textValue:
				return v.text, nil
			case numberValue:
				if n, ok := v.asInt(); ok {
					return strconv.FormatInt(n, 10), nil
				}
				return notation(v.text), nil
			}
			return "", &Error{Kind: SyntaxError, Key: key, Text: "<" + key + ">:\nvariable '" + name + "' is not a string or number"}
		}
		if scope == "" {
			break
		}
		scope = scope[:strings.LastIndexByte(scope[:len(scope)-1], '.')+1]
	}
	if v, ok := p.reader.getenv(name); ok {
		return v, nil
	}
	return "", &Error{Kind: SyntaxError, Key: key, Text: "<" + key + ">:\nno such variable: '" + name + "'"}
}

// identifier reads a name; "" when there is none.
func (p *fileParser) identifier() string {
	start, end := p.pos, p.pos
	for {
		r, size := utf8.DecodeRuneInString(p.text[end:])
		if size == 0 || !unicode.IsLetter(r) {
			return p.text[start:p.pos]
		}
		for size > 0 && (unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_' || r == '-') {
			end += size
			r, size = utf8.DecodeRuneInString(p.text[end:])
		}
		p.pos = end
		if r != '.' || size == 0 {
			return p.text[start:p.pos]
		}
		end++
	}
}

// skipLines skips white space, line ends and comments.
func (p *fileParser) skipLines() {
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		switch {
		case unicode.IsSpace(r):
			p.pos += size
		case r == '#' && !strings.HasPrefix(p.text[p.pos:], "#;"):
			p.skipComment()
		default:
			return
		}
	}
}

// skipBlanks skips spaces, tabs and a comment, but no line end.
func (p *fileParser) skipBlanks() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
	if p.pos < len(p.text) && p.text[p.pos] == '#' {
		p.skipComment()
	}
}

func (p *fileParser) skipComment() {
	for p.pos < len(p.text) && p.text[p.pos] != '\n' && p.text[p.pos] != '\r' {
		p.pos++
	}
}

func (p *fileParser) accept(s string) bool {
	if !strings.HasPrefix(p.text[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *fileParser) skipDigits() {
	for p.digitAt(0) {
		p.pos++
	}
}

func (p *fileParser) digitAt(ahead int) bool {
	return p.pos+ahead < len(p.text) && isDigit(p.text[p.pos+ahead])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (p *fileParser) unexpected(want string) error {
	got := "end of input"
	if p.pos < len(p.text) {
		r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
		got = "'" + string(r) + "'"
		if r == '\n' || r == '\r' {
			got = "end of line"
		}
	}
	return p.failure("unexpected " + got + "\nexpecting " + want)
}

// failure reports a problem at the current position with the line it is in.
func (p *fileParser) failure(text string) error {
	before := p.text[:p.pos]
	line := strings.Count(before, "\n") + 1
	start := strings.LastIndexByte(before, '\n') + 1
	end := len(p.text)
	if i := strings.IndexAny(p.text[p.pos:], "\r\n"); i >= 0 {
		end = p.pos + i
	}
	column := utf8.RuneCountInString(p.text[start:p.pos]) + 1
	number := strconv.Itoa(line)
	margin := strings.Repeat(" ", len(number))
	return &Error{Kind: SyntaxError, Text: fmt.Sprintf("%s:%d:%d:\n%s |\n%s | %s\n%s | %s^\n%s",
		p.name, line, column, margin, number, p.text[start:end], margin, strings.Repeat(" ", column-1), text)}
}
