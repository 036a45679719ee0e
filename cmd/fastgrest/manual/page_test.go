package manual_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// page is a page of the manual, and its blocks of code. Comments in its text say what its examples
// need:
//
//	<!-- settings: db-max-rows=3; db-schemas=api,archive -->
//	<!-- token clerk: {"role": "librarian"} -->    the value of $clerk, signed with jwt-secret
//	<!-- database: own -->                         the library in a cluster of the page's own
//	<!-- database: empty -->                       an empty database in a cluster of its own
//
// The cluster of the other pages is shared. Pages that create roles have one of their own.
type page struct {
	file     string   // its name, for messages
	lines    []string // without line feeds
	settings map[string]string
	tokens   map[string]string // claims, by the name of the token
	database string            // "library", "own" or "empty"
	blocks   []*block
}

// block is a fenced block of code. Its info string says what the runner does with it:
//
//	http                     a request: request line without the version, headers, empty line, body
//	http response            what comes, in the next block: status, headers, empty line, body
//	http response /POINTER   as above; the body is the part of the document at this JSON pointer
//	sql                      runs as the owner of the database; then the schema cache is reloaded
//	sql role=NAME            runs as another role
//	sh                       a command for the shell
//	output                   what the command before prints
//	conf                     a configuration file, which must have no warnings
//	mermaid, ANY norun       shown only
//
// In a response and in output, "..." stands for any text. In requests and commands localhost:3000 is
// the API, and localhost:3001 the admin server.
type block struct {
	info       string
	start, end int // indexes of the line of the opening fence and of the closing fence
	text       string
}

// line is the number of the first line within the block.
func (b *block) line() int { return b.start + 2 }

var (
	directive = regexp.MustCompile(`(?s)<!-- (settings|token \w+|database): (.*?) -->`)
	infos     = regexp.MustCompile(`^(http|http response( /\S*)?|sql( role=\w+)?|sh|output|conf|mermaid|\w+ norun)$`)
)

// parsePage splits a page at its blocks and checks their order.
func parsePage(file, text string) (*page, error) {
	p := &page{file: file, lines: strings.Split(text, "\n"), database: "library", settings: map[string]string{}, tokens: map[string]string{}}
	if err := p.direct(text); err != nil {
		return nil, err
	}
	var open *block
	for i, line := range p.lines {
		fence := strings.HasPrefix(strings.TrimLeft(line, " "), "```")
		switch {
		case open != nil && line == "```":
			open.end = i
			open.text = strings.Join(p.lines[open.start+1:i], "\n")
			p.blocks = append(p.blocks, open)
			open = nil
		case fence && (open != nil || line[0] != '`' || strings.HasPrefix(line, "````")):
			return nil, fmt.Errorf("%s:%d: a fence is three backticks at the start of a line", file, i+1)
		case fence:
			open = &block{info: line[3:], start: i}
			if !infos.MatchString(open.info) {
				return nil, fmt.Errorf("%s:%d: unknown info string %q", file, i+1, open.info)
			}
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s:%d: the block has no end", file, open.start+1)
	}
	return p, p.checkOrder()
}

// direct reads the comments.
func (p *page) direct(text string) error {
	for _, m := range directive.FindAllStringSubmatch(text, -1) {
		switch what, name, _ := strings.Cut(m[1], " "); what {
		case "settings":
			for setting := range strings.SplitSeq(m[2], ";") {
				key, value, ok := strings.Cut(strings.TrimSpace(setting), "=")
				if !ok {
					return fmt.Errorf("%s: %q is not KEY=VALUE", p.file, setting)
				}
				p.settings[key] = value
			}
		case "token":
			if !json.Valid([]byte(m[2])) {
				return fmt.Errorf("%s: the claims of $%s are not JSON", p.file, name)
			}
			p.tokens[name] = m[2]
		case "database":
			if m[2] != "own" && m[2] != "empty" {
				return fmt.Errorf("%s: unknown database %q", p.file, m[2])
			}
			p.database = m[2]
		}
	}
	return nil
}

// checkOrder checks that responses and output are behind what they belong to.
func (p *page) checkOrder() error {
	before := ""
	for _, b := range p.blocks {
		if b.kind() == "response" && before != "http" || b.kind() == "output" && before != "sh" {
			return fmt.Errorf("%s:%d: nothing comes before the block %q that it could belong to", p.file, b.start+1, b.info)
		}
		before = b.kind()
	}
	return nil
}

// kind is the first word of the info string, or "response", or "shown".
func (b *block) kind() string {
	switch word, rest, _ := strings.Cut(b.info, " "); {
	case rest == "norun" || word == "mermaid":
		return "shown"
	case strings.HasPrefix(rest, "response"):
		return "response"
	default:
		return word
	}
}

// edit is a new text for lines of a page.
type edit struct {
	from, to int // the lines with from <= index < to
	text     string
}

// edited is the text of the page with edits, which are in the order of the page.
func (p *page) edited(edits []edit) string {
	var lines []string
	done := 0
	for _, e := range edits {
		lines = append(append(lines, p.lines[done:e.from]...), e.text)
		done = e.to
	}
	return strings.Join(append(lines, p.lines[done:]...), "\n")
}
