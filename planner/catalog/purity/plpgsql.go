package purity

// statement steps over one statement of PL/pgSQL, or over the part of one that
// is in front of other statements: "if ... then", "begin", "else". How they
// nest does not matter.
//
// Where an expression ends is what PL/pgSQL's own parser goes by: the first
// THEN, LOOP or semicolon outside of brackets.
func (r *reader) statement() {
	t, next := r.peek(0), r.peek(1)
	if t.named() && !t.is("execute") && (next.is(":=") || next.is("=") || next.is(".") || next.is("[")) || t.kind == parameter {
		r.assignment()
		return
	}
	if t.is("<<") && next.named() && r.peek(2).is(">>") || t.is("#") && next.kind == word && r.peek(2).kind == word {
		r.pos += 3 // a label; an option
		return
	}
	if t.kind != word {
		r.unproven("statement "+t.text, true)
		return
	}
	switch t.text {
	case "declare":
		r.pos++
		r.declarations()
	case "begin", "else", "loop", "exception":
		r.pos++
	case "end":
		r.pos++
		r.end()
	case "if", "elsif", "elseif", "when":
		r.pos++
		r.expression(r.until("then"))
	case "case":
		r.pos++
		if !r.peek(0).is("when") {
			r.expression(r.until("when"))
			r.pos--
		}
	case "while", "foreach":
		r.pos++
		r.expression(r.until("loop"))
	case "for":
		r.pos++
		r.loop(r.until("loop"))
	case "return":
		r.pos++
		r.results()
	case "exit", "continue", "raise", "assert", "perform", "null", "get":
		r.expression(r.until(";"))
	case "set":
		if next.is("local") || next.is("constraints") || next.is("transaction") {
			r.until(";")
			return
		}
		r.unproven("statement set", false)
	default:
		r.query(r.until(";"), true)
	}
}

// assignment steps over "target := expression;". The target is a name with
// fields and subscripts.
func (r *reader) assignment() {
	t := r.until(";")
	depth := 0
	for i := range t {
		switch {
		case t[i].is("["):
			depth++
		case t[i].is("]"):
			depth--
		case depth > 0, t[i].named(), t[i].is("."), t[i].kind == parameter:
		case t[i].is(":="), t[i].is("="):
			r.expression(t)
			return
		default:
			r.unproven("statement "+t[0].text, true)
			return
		}
	}
	r.unproven("statement "+t[0].text, true)
}

func (r *reader) declarations() {
	for r.more() && !r.peek(0).is("begin") {
		t := r.until(";")
		for i := range t {
			if t[i].is("cursor") {
				r.unproven("cursor", false)
			}
		}
		r.expression(t)
	}
}

// end steps over what follows END: the kind of the block, a label, a semicolon.
func (r *reader) end() {
	for n := 0; r.pos < len(r.tokens); n++ {
		t := r.peek(0)
		r.pos++
		if t.is(";") {
			return
		}
		if n == 2 || !t.named() {
			r.unproven("end", true)
			return
		}
	}
}

// loop checks what is between FOR and LOOP: "target in" and a range or a query.
func (r *reader) loop(t []token) {
	for i := range t {
		if !t[i].is("in") {
			continue
		}
		rest := t[i+1:]
		for k := range rest {
			if rest[k].is("..") {
				r.expression(rest)
				return
			}
		}
		r.query(rest, false)
		return
	}
	r.unproven("for", true)
}

// results checks what follows RETURN.
func (r *reader) results() {
	t := r.until(";")
	if len(t) > 0 && t[0].is("query") {
		r.query(t[1:], false)
		return
	}
	r.expression(t)
}
