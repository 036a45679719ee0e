package manual_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// compare returns what the page should have, and what is wrong with what it has. The page selects
// the headers. What matches stays as it is on the page.
func compare(want, got response) (better response, wrong []string) {
	better.status = got.status
	if want.status != got.status {
		wrong = append(wrong, "the status differs")
	}
	done := map[string]bool{}
	for _, line := range want.headers {
		name, _, _ := strings.Cut(line, ":")
		if done[name] {
			continue
		}
		done[name] = true
		ours, theirs := linesOf(want.headers, name), linesOf(got.headers, name)
		if slices.EqualFunc(ours, theirs, matches) {
			better.headers = append(better.headers, ours...)
			continue
		}
		better.headers = append(better.headers, theirs...)
		if len(theirs) == 0 {
			wrong = append(wrong, "the header "+name+" is missing")
		} else {
			wrong = append(wrong, "the header "+name+" differs")
		}
	}
	better.body = want.body
	if !matches(compact(want.body, got.body), compact(got.body, got.body)) {
		better.body = layout(got.body)
		if lines := strings.Split(want.body, "\n"); lines[len(lines)-1] == "..." {
			better.body = shortened(better.body, len(lines)-1)
		}
		wrong = append(wrong, "the body differs")
	}
	return better, wrong
}

// linesOf lists the lines of a header, with its name as given.
func linesOf(headers []string, name string) (list []string) {
	for _, line := range headers {
		if n, value, _ := strings.Cut(line, ":"); strings.EqualFold(n, name) {
			list = append(list, name+": "+strings.TrimSpace(value))
		}
	}
	return list
}

// matches reports whether a text is like a pattern, in which "..." stands for any text.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "...")
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	last := len(parts) - 1
	for _, p := range parts[1:last] {
		if _, rest, ok = strings.Cut(rest, p); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[last])
}

// compact removes the white space between the tokens of a text if the body is JSON. The text may be
// the beginning of a document.
func compact(text, body string) string {
	if !json.Valid([]byte(body)) {
		return text
	}
	var b strings.Builder
	quoted, escaped := false, false
	for _, c := range []byte(text) {
		if !quoted && (c == ' ' || c == '\n' || c == '\t') {
			continue
		}
		b.WriteByte(c)
		if c == '"' && !escaped {
			quoted = !quoted
		}
		escaped = quoted && c == '\\' && !escaped
	}
	return b.String()
}

// width is the number of bytes that a line of JSON has at most, if it can be broken.
const width = 118

// layout breaks a JSON body into lines. Other bodies stay as they are.
func layout(body string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(body)) != nil {
		return body
	}
	return laid(b.Bytes(), 0)
}

// laid is a value in one line if it fits. Otherwise an array has a line for each element, and an
// object as many members in a line as fit.
func laid(value []byte, indent int) string {
	if indent+len(value) <= width || value[0] != '[' && value[0] != '{' {
		return string(value)
	}
	d := json.NewDecoder(bytes.NewReader(value))
	_, _ = d.Token()
	text, line := string(value[:1]), indent+1
	for first := true; d.More(); first = false {
		from := d.InputOffset()
		if value[0] == '{' {
			_, _ = d.Token()
		}
		name := strings.TrimPrefix(string(value[from:d.InputOffset()]), ",")
		if name != "" {
			name += ":"
		}
		var element json.RawMessage
		_ = d.Decode(&element) // the caller has checked the document
		if !first {
			text, line = text+",", line+1
			if value[0] == '[' || line+len(name)+len(element) > width {
				text, line = text+"\n"+strings.Repeat(" ", indent+1), indent+1
			}
		}
		added := name + laid(element, line+len(name))
		text += added
		line += len(added) - strings.LastIndexByte(added, '\n') - 1
	}
	return text + string(value[0]+2)
}

// shortened is the first lines of a text and "..." for the others.
func shortened(text string, lines int) string {
	all := strings.Split(text, "\n")
	if len(all) <= lines {
		return text
	}
	return strings.Join(append(all[:lines:lines], "..."), "\n")
}
