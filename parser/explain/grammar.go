package explain

import (
	"strings"
	"unicode"
)

// The grammars. Alternatives are in PostgREST's order, because the error texts
// depend on it.

// Names and fields.

var (
	space     = many(oneOf(" \t"))
	comma     = lexeme(char(','))
	delimiter = label("delimiter (.)", char('.'))

	identifier = many1(identifierChar)

	quoted = sequence(
		char('"'),
		many(choice(noneOf("\\\""), sequence(char('\\'), satisfying(anything)))),
		char('"'))

	dash = attempt(sequence(char('-'), notBefore(char('>'))))

	name = label("field name (* or [a..z0..9_$])",
		choice(quoted, dashed(identifier, isIdentifierChar)))

	jsonKey = label("any non reserved character different from: .,>()",
		choice(quoted, dashed(many1(noneOf(keyEnds)), isKeyChar)))

	jsonIndex = sequence(optional(char('-')), many1(digit), choice(
		attempt(ahead(word("->"))),
		attempt(ahead(word("::"))),
		attempt(ahead(word("."))),
		attempt(ahead(word(","))),
		attempt(end)))

	jsonPath = many(sequence(
		choice(attempt(word("->>")), attempt(word("->"))),
		choice(attempt(jsonIndex), attempt(jsonKey))))

	field = lexeme(sequence(name, optional(jsonPath)))

	letter = label("letter", satisfying(unicode.IsLetter))
	digit  = label("digit", satisfying(isDigit))
)

func anything(rune) bool { return true }

func isDigit(c rune) bool { return c >= '0' && c <= '9' }

func isIdentifierChar(c rune) bool {
	return unicode.IsLetter(c) || isDigit(c) || strings.ContainsRune("_ $", c)
}

const keyEnds = "(-:.,>)"

func isKeyChar(c rune) bool { return !strings.ContainsRune(keyEnds, c) }

func lexeme(p parser) parser { return sequence(space, p, space) }

// identifierChar checks the character before it runs the alternatives, which would
// make unused failures for each digit of a long text.
func identifierChar(in *input, s state) result {
	if !in.done(s) && isIdentifierChar(in.text[s.at]) {
		next := s.advance(in.text[s.at])
		return result{ok: true, consumed: true, next: next, failure: failure{place: next}}
	}
	return noIdentifierChar(in, s)
}

// dashed is a list of parts separated by dashes. It skips all complete parts but the
// last one: the others do not change a failure, and a name of many dashes would
// take long.
func dashed(part parser, isPart func(rune) bool) parser {
	return sequence(part, func(in *input, s state) result {
		last := s
		for next := s; !in.done(next) && in.text[next.at] == '-'; {
			here := next
			next = next.advance('-')
			begin := next.at
			for !in.done(next) && isPart(in.text[next.at]) {
				next = next.advance(in.text[next.at])
			}
			if next.at == begin {
				break
			}
			last = here
		}
		return result{ok: true, consumed: last != s, next: last, failure: failure{place: last}}
	}, repeat(sequence(dash, part), false))
}

var noIdentifierChar = choice(letter, digit, oneOf("_ $"))

// Keys.

var (
	treePath  = sequence(separated1(name, delimiter), optional(jsonPath))
	logicPath = separated1(name, delimiter)
	columns   = separated1(name, comma)
)

// Select.

var (
	alias = optional(attempt(sequence(name, char(':'), notBefore(char(':')))))

	embedParam = sequence(char('!'), choice(
		attempt(word("left")),
		attempt(word("inner")),
		attempt(name)))
	embedParams = sequence(optional(embedParam), optional(embedParam))

	openAhead = attempt(ahead(word("(")))

	relation = lexeme(sequence(alias, relationName, embedParams, openAhead))
	spread   = lexeme(sequence(word("..."), name, embedParams, openAhead))

	itemEnd = choice(attempt(ahead(word(")"))), attempt(ahead(word(","))), attempt(end))

	cast      = optional(sequence(word("::"), identifier))
	aggregate = choice(ours(sequence(char('.'), word("countdistinct()"))), optional(attempt(sequence(char('.'), choice(
		word("sum"),
		word("avg"),
		word("count"),
		attempt(word("max")),
		attempt(word("min")),
		impossible), word("()")))))

	column = lexeme(choice(
		attempt(sequence(word("*"), itemEnd)),
		attempt(sequence(alias, word("count()"), cast, itemEnd)),
		sequence(alias, field, cast, aggregate, cast, itemEnd)))
)

// relationName is a name other than count.
func relationName(in *input, s state) result {
	r := name(in, s)
	if r.ok && isCount(string(in.text[s.at:r.next.at])) {
		return r.then(in, impossible)
	}
	return r
}

func isCount(name string) bool {
	if strings.HasPrefix(name, `"`) {
		var plain strings.Builder
		for i := 1; i < len(name)-1; i++ {
			if name[i] == '\\' {
				i++
			}
			plain.WriteByte(name[i])
		}
		return plain.String() == "count"
	}
	return strings.Trim(name, " ") == "count"
}

// items and tree are set in init because they are recursive.
var items, tree parser

func init() {
	children := nested(sequence(char('('), func(in *input, s state) result { return items(in, s) }, char(')')))
	items = separated(choice(
		sequence(attempt(spread), children),
		sequence(attempt(relation), children),
		column), comma)
	Select = Grammar{items, sequence(items, char(')'))}

	branches := nested(separated1(func(in *input, s state) result { return tree(in, s) }, comma))
	tree = choice(
		attempt(leaf),
		sequence(negation, operator, lexeme(char('(')), branches, lexeme(char(')'))))
	Tree = Grammar{tree, sequence(separated1(tree, comma), lexeme(char(')')))}
}

// nested counts the depth of p, and makes the run fail beyond maxDepth.
func nested(p parser) parser {
	return func(in *input, s state) result {
		in.depth++
		defer func() { in.depth-- }()
		if in.depth > in.maxDepth {
			in.tooDeep = true
			return result{consumed: true, failure: failure{place: s}}
		}
		return p(in, s)
	}
}

// Filters.

var (
	list = sequence(
		lexeme(char('(')),
		separated1(listElement, char(',')),
		lexeme(char(')')))

	listElement = choice(
		attempt(sequence(quoted, notBefore(noneOf(",)")))),
		many(noneOf(",)")))

	isValue = label("isVal: (null, not_null, true, false, unknown)", choice(
		attempt(caseless("null")),
		attempt(caseless("not_null")),
		attempt(caseless("true")),
		attempt(caseless("false")),
		attempt(caseless("unknown"))))

	language = optional(attempt(sequence(char('('), identifier, char(')'))))

	quantifier = optional(attempt(sequence(
		char('('), choice(attempt(word("any")), word("all")), char(')'))))

	fullText   = words("fts", "plfts", "phfts", "wfts")
	simple     = label("unknown single value operator", words("neq", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"))
	quantified = label("unknown single value operator",
		words("eq", "gte", "gt", "lte", "lt", "like", "ilike", "match", "imatch"))

	not = attempt(sequence(word("not"), delimiter))

	filter           = condition(many(satisfying(anything)))
	filterOrArgument = choice(filter, nothing)
)

func words(ws ...string) parser {
	var parsers []parser
	for _, w := range ws {
		parsers = append(parsers, attempt(word(w)))
	}
	return choice(parsers...)
}

// caseless consumes a word in any letter case.
func caseless(w string) parser {
	var parsers []parser
	for _, c := range w {
		parsers = append(parsers, choice(char(c), char(unicode.ToUpper(c))))
	}
	return sequence(parsers...)
}

func condition(operand parser) parser {
	return sequence(choice(not, nothing), label("operator (eq, gt, ...)", choice(
		sequence(attempt(sequence(word("in"), delimiter)), list),
		sequence(attempt(sequence(word("is"), delimiter)), isValue),
		sequence(attempt(sequence(word("isdistinct"), delimiter)), operand),
		attempt(sequence(fullText, language, delimiter, operand)),
		attempt(sequence(simple, delimiter, operand)),
		attempt(sequence(quantified, quantifier, delimiter, operand)))))
}

// Logic trees.

var (
	treeOperand = choice(
		attempt(sequence(quoted, notBefore(noneOf(",)")))),
		attempt(sequence(word("{"), many(noneOf("{}")), word("}"))),
		many(noneOf(",)")))

	leaf = sequence(field, delimiter, condition(treeOperand))

	negation = label("negation operator (not)", choice(not, nothing))
	operator = label("logic operator (and, or)", choice(attempt(word("and")), word("or")))
)

// Order.

var (
	direction = optional(choice(
		attempt(sequence(delimiter, word("asc"))),
		attempt(sequence(delimiter, word("desc")))))

	nulls = choice(
		attempt(sequence(delimiter, word("nullsfirst"))),
		attempt(sequence(delimiter, word("nullslast"))))

	termEnd = choice(attempt(ahead(char(','))), attempt(end))

	modifiers = sequence(direction, choice(
		sequence(optional(nulls), termEnd),
		termEnd))

	order = separated1(lexeme(choice(
		sequence(ours(word("count()")), modifiers),
		attempt(sequence(name, char('('), field, char(')'), modifiers)),
		sequence(field, choice(ours(aggregateCall), nothing), modifiers))), char(','))

	aggregateCall = sequence(char('.'), words("sum", "avg", "countdistinct", "count", "max", "min"), word("()"))
)
