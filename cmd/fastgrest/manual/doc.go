// Package manual has the pages of the manual: Markdown files that are part of the program.
//
//	*.md, decisions/*.md  the pages; index.md links to all of them
//	manual.go             the pages in the order of index.md
//	markdown.go           the syntax tree of a page, its anchors and its links
//	html.go               a page for browsers
//	text.go, table.go     a page for terminals
//	exchange.go           requests and responses, as pages show them
//
// A topic is the name of a page: its path in this folder without .md.
//
// Pages are rendered when they are asked for. Nothing here fails: the tests check that the pages have
// titles and that their links lead somewhere.
//
// The library goldmark parses the pages and writes HTML. It adds 1.1 MB to the program. Its tree is
// also what text.go prints: glamour, the usual library for terminals, would add 8.8 MB.
package manual
