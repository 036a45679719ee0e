package server

import (
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
)

// readPayload reads the request's body as far as the plan depends on it.
func (rq *request) readPayload() error {
	p := &rq.plan
	p.ContentType = header.Media{Kind: header.JSON}
	if value := rq.rawHead.contentType; value != nil {
		p.ContentType = header.ParseContentType(value)
	}
	rq.payload.Reset()
	if p.Action == planner.Delete || p.Action == planner.CallGet || p.Action == planner.CallHead {
		return nil
	}
	raw, err := rq.readBody()
	if err != nil {
		return err
	}
	call := p.Action == planner.CallPost
	columns := rq.query.HasColumns && p.Action != planner.Upsert
	switch kind := p.ContentType.Kind; {
	case kind == header.JSON && columns:
		rq.payload.SetRaw(raw)
	case kind == header.JSON:
		err = rq.payload.ParseJSON(raw, call)
	case kind == header.CSV:
		rq.converted, err = rq.payload.ParseCSV(rq.converted[:0], raw, rq.snap.config.ServerMaxBodySize)
	case kind == header.Form && call:
		err = rq.payload.ParseArgs(raw)
	case kind == header.Form:
		rq.converted, err = rq.payload.ParseForm(rq.converted[:0], raw)
	case call && (kind == header.Plain || kind == header.XML || kind == header.OctetStream):
		rq.payload.SetRaw(raw)
		rq.payload.IsObject = false
		return nil
	default:
		return newProblem(400, "PGRST102", "Content-Type not acceptable: "+p.ContentType.String())
	}
	if err == nil {
		err = rq.countConverted()
	}
	if err != nil {
		return err
	}
	p.PayloadObject = rq.payload.IsObject
	p.Columns = rq.payload.Keys
	if p.ContentType.Kind == header.JSON && columns {
		p.Columns = rq.query.Columns
	}
	return nil
}

// addBody binds the payload: as text, or as bytes where the only parameter is
// bytea.
func (rq *request) addBody(f *pgwire.Flight) {
	p := &rq.plan
	switch {
	case p.Action == planner.CallGet || p.Action == planner.CallHead || p.ContentType.Kind == header.Form && p.Action == planner.CallPost:
		rq.converted = rq.appendArgsObject(rq.converted[:0])
		f.Arg(rq.converted)
	case p.ContentType.Kind == header.OctetStream:
		f.ArgBinary(rq.payload.Raw)
	default:
		f.Arg(rq.payload.Raw)
	}
}

// callArgs are the arguments given by name, in order.
func (rq *request) eachCallArg(fn func(name, value []byte)) {
	if rq.plan.Action == planner.CallPost {
		for _, pair := range rq.payload.Pairs {
			fn(pair.Key, pair.Value)
		}
		return
	}
	for i := range rq.query.Args {
		fn(rq.query.Args[i].Key, rq.query.Args[i].Value)
	}
}

// addCallArg binds the argument of that name; of several the last.
func (rq *request) addCallArg(f *pgwire.Flight, name string) {
	var last []byte
	rq.eachCallArg(func(n, value []byte) {
		if string(n) == name {
			last = value
		}
	})
	f.Arg(cutNUL(last))
}

// addVariadic binds all arguments of that name as one array.
func (rq *request) addVariadic(f *pgwire.Flight, name string) {
	start := len(rq.numbers)
	dst := append(rq.numbers, '{')
	first := true
	rq.eachCallArg(func(n, value []byte) {
		if string(n) != name {
			return
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"')
		for _, c := range cutNUL(value) {
			if c == '"' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
		}
		dst = append(dst, '"')
	})
	rq.numbers = append(dst, '}')
	f.Arg(rq.numbers[start:])
}

// appendArgsObject appends all arguments as one JSON object.
func (rq *request) appendArgsObject(dst []byte) []byte {
	dst = append(dst, '{')
	rq.eachCallArg(func(name, value []byte) {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendString(dst, name)
		dst = append(dst, ':')
		dst = jsontext.AppendString(dst, value)
	})
	return append(dst, '}')
}

func payloadProblem(e *body.Error) *problem { return newProblem(400, "PGRST102", e.Error()) }
