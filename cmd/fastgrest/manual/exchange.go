package manual

import (
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// exchange is a request and its response, which a browser shows side by side. In the page they are two code blocks that
// follow each other: http, and http response with or without a pointer.
type exchange struct{ ast.BaseBlock }

var exchangeKind = ast.NewNodeKind("Exchange")

func (*exchange) Kind() ast.NodeKind { return exchangeKind }

func (e *exchange) Dump(source []byte, level int) { ast.DumpHelper(e, source, level, nil, nil) }

// pairExchanges moves each request and its response into an exchange.
func pairExchanges(tree ast.Node, source []byte) {
	for _, request := range slices.Collect(nodes[*ast.FencedCodeBlock](tree)) {
		response, ok := request.NextSibling().(*ast.FencedCodeBlock)
		if !ok || info(request, source) != "http" || !strings.HasPrefix(info(response, source), "http response") {
			continue
		}
		e, parent := &exchange{}, request.Parent()
		parent.InsertBefore(parent, request, e)
		e.AppendChild(e, request)
		e.AppendChild(e, response)
	}
}

// info is the text behind the fence of a code block.
func info(block *ast.FencedCodeBlock, source []byte) string {
	if block.Info == nil {
		return ""
	}
	return string(block.Info.Value(source))
}

type exchangeRenderer struct{}

func (exchangeRenderer) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(exchangeKind, func(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
		tag := "</div>\n"
		if entering {
			tag = "<div class=\"exchange\">\n"
		}
		_, err := w.WriteString(tag)
		return ast.WalkContinue, err
	})
}
