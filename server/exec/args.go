package exec

import (
	"bytes"

	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// addArgs binds values of the call to the parameters of the last statement.
func (x *Execution) addArgs(args []sqlgen.Arg, names []string) {
	f, c := x.out, x.call
	for _, a := range args {
		start := len(x.text) // slices handed out before keep the memory they were rendered into
		switch a.Kind {
		case sqlgen.ArgSetting:
			f.Arg(c.Settings[a.Index])
		case sqlgen.ArgApp:
			f.Arg(x.rules.appValues[a.Index])
		case sqlgen.ArgValue:
			f.Arg(cutNUL(c.Values[a.Index]))
		case sqlgen.ArgLimit:
			x.text = x.rules.planner.Restrict(c.rangeAt(a.Index)).AppendLimit(x.text)
			f.Arg(x.text[start:])
		case sqlgen.ArgOffset:
			x.text = c.rangeAt(a.Index).AppendOffset(x.text)
			f.Arg(x.text[start:])
		case sqlgen.ArgLimitAndOne:
			x.text = x.rules.planner.Restrict(c.rangeAt(a.Index)).AndOne().AppendLimit(x.text)
			f.Arg(x.text[start:])
		case sqlgen.ArgAfter:
			if v := &c.After[a.Index]; v.Text {
				f.Arg(v.Bytes)
			} else {
				f.ArgBinary(v.Bytes)
			}
		case sqlgen.ArgBody:
			x.addBody()
		case sqlgen.ArgCall:
			f.Arg(cutNUL(c.lastArg(names[a.Index])))
		case sqlgen.ArgVariadic:
			x.text = c.appendArray(x.text, names[a.Index])
			f.Arg(x.text[start:])
		}
	}
}

// cutNUL ends an operand at its first NUL, as it does where text is handed to
// the C library PostgREST uses. PostgreSQL has no text with a NUL in it.
func cutNUL(b []byte) []byte {
	text, _, _ := bytes.Cut(b, nul)
	return text
}

var nul = []byte{0}

// addBody binds the payload.
func (x *Execution) addBody() {
	f, c := x.out, x.call
	switch c.PayloadForm {
	case PayloadArgs:
		x.object = c.appendObject(x.object[:0])
		f.Arg(x.object)
	case PayloadBytes:
		f.ArgBinary(c.Payload)
	default:
		f.Arg(c.Payload)
	}
}

// lastArg returns the last argument of that name.
func (c *Call) lastArg(name string) (last []byte) {
	c.eachArg(func(n, value []byte) {
		if string(n) == name {
			last = value
		}
	})
	return last
}

// appendArray appends all arguments of that name as one array.
func (c *Call) appendArray(dst []byte, name string) []byte {
	dst = append(dst, '{')
	first := true
	c.eachArg(func(n, value []byte) {
		if string(n) != name {
			return
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = pgwire.AppendElement(dst, cutNUL(value))
	})
	return append(dst, '}')
}

// appendObject appends all arguments as one JSON object.
func (c *Call) appendObject(dst []byte) []byte {
	dst = append(dst, '{')
	c.eachArg(func(name, value []byte) {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendString(dst, name)
		dst = append(dst, ':')
		dst = jsontext.AppendString(dst, value)
	})
	return append(dst, '}')
}
