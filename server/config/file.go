package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// This file reads directives, filevalue.go their values; filescan.go steps
// through the text.
//
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
// Strings have the escapes \n \t \r \" \\ and \uXXXX. $(name) is replaced by an
// earlier key of that name (innermost group first), or else by the environment
// variable. $$ is a dollar sign.

// These bounds turn mistakes, such as a file that imports itself, into errors.
// The author of the file is trusted.
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

// fileText formats a read error with the file's name first.
func fileText(path string, err error) string {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return path + ": " + err.Error()
}

// fileParser parses one file. It applies each directive immediately, because
// later strings may refer to earlier keys.
type fileParser struct {
	reader *fileReader
	path   string // of the file, for imports
	name   string // the file's name in errors
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

// directives parses up to the end of the file or, in a group, its closing brace.
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
