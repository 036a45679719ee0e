package purity

import (
	"slices"
	"strings"
)

// mentions collects names and calls from the tokens.
func (r *reader) mentions() {
	u := &r.use
	for i, t := range r.tokens {
		switch {
		case t.kind == opaque:
			r.unproven("an unusual character or constant", true)
		case t.kind == constant && strings.Contains(fold(t.text), conforming):
			r.unproven(conforming, true)
		}
		if !t.named() {
			continue
		}
		if t.text == conforming || strings.HasPrefix(t.text, "pg_temp") {
			r.unproven(t.text, true)
		}
		u.Writes = u.Writes || t.kind == word && writing[t.text]
		u.Names = append(u.Names, t.text)
		switch {
		case r.token(i + 1).is("("):
			u.Calls = append(u.Calls, r.call(i))
		case r.token(i - 1).is("."):
			u.Fields = append(u.Fields, t.text)
		}
	}
	u.Fields, u.Names = once(u.Fields), once(u.Names)
}

// once sorts names and keeps one of each.
func once(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

const conforming = "standard_conforming_strings"

var writing = wordSet("insert update delete merge")

func (r *reader) token(i int) token {
	if i < 0 || i >= len(r.tokens) {
		return token{}
	}
	return r.tokens[i]
}

// call describes the call whose name is token i.
func (r *reader) call(i int) Call {
	t, before := r.tokens[i], r.token(i-1)
	c := Call{Name: t.text}
	if before.is(".") {
		if schema := r.token(i - 2); schema.named() && !r.token(i-3).is(".") {
			c.Schema = schema.text
		}
	} else {
		c.Syntax = t.kind == word && bracketed[t.text] || before.kind == word && introducing[before.text] ||
			before.is(")") || before.is(",") && r.subquery(i+1)
	}
	c.Local = c.Name == "set_config" && r.local(i+1)
	return c
}

// subquery reports whether the parenthesis at token i has the columns of a WITH
// query: "as (" follows.
func (r *reader) subquery(i int) bool {
	for depth := 0; i < len(r.tokens); i++ {
		switch t := r.tokens[i]; {
		case t.is("("):
			depth++
		case t.is(")"):
			if depth--; depth == 0 {
				next := r.token(i + 2)
				return r.token(i+1).is("as") && (next.is("(") || next.is("materialized") || next.is("not"))
			}
		}
	}
	return false
}

// local reports whether the arguments in the parenthesis at token i are those of
// a set_config that names a setting and ends with the transaction.
func (r *reader) local(i int) bool {
	depth, arguments, last := 0, 1, 0
	for k := i; k < len(r.tokens); k++ {
		switch t := r.tokens[k]; {
		case t.is("("), t.is("["):
			depth++
		case t.is(","):
			if depth == 1 {
				if arguments == 1 && !r.settingName(i+1, k) {
					return false
				}
				arguments++
				last = k
			}
		case t.is(")"), t.is("]"):
			if depth--; depth == 0 {
				return arguments == 3 && k == last+2 && r.tokens[last+1].is("true")
			}
		}
	}
	return false
}

// settingName reports whether tokens i to k are a constant, perhaps cast to text.
func (r *reader) settingName(i, k int) bool {
	t := r.tokens[i:k]
	return len(t) > 0 && t[0].literal && (len(t) == 1 || len(t) == 3 && t[1].is("::") && t[2].is("text"))
}
