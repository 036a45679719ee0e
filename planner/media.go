package planner

import (
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// negotiate chooses the media type of the response and the form of its body:
// the first accepted type that can be produced.
//
// onlyStar: the rows have the type of the relation, which handlers for that
// type need.
func (p *Planner) negotiate(r *Request, target catalog.QI, onlyStar bool) (header.Media, sqlgen.Body, error) {
	accepts := []header.Media{{Kind: header.Any}}
	if r.HasAccept {
		accepts = header.ParseAccept(nil, r.Accept)
	}
	for _, m := range accepts {
		if media, body, ok := p.produce(m, target, onlyStar); ok {
			return media, body, nil
		}
	}
	e := &Error{Kind: NotAcceptable}
	for _, m := range accepts {
		e.Accepted = append(e.Accepted, m.String())
	}
	return header.Media{}, sqlgen.Body{}, e
}

func (p *Planner) produce(m header.Media, target catalog.QI, onlyStar bool) (header.Media, sqlgen.Body, bool) {
	switch m.Kind {
	case header.Object:
		return m, sqlgen.Body{Kind: sqlgen.BodyObject}, true
	case header.ObjectStripped:
		return m, sqlgen.Body{Kind: sqlgen.BodyObject, Strip: true}, true
	case header.ArrayStripped:
		return m, sqlgen.Body{Kind: sqlgen.BodyArray, Strip: true}, true
	case header.Plan:
		if !p.opts.ExecutionPlans {
			return m, sqlgen.Body{}, false
		}
		_, body, ok := p.produce(m.Inner(), target, onlyStar)
		if body.Kind == sqlgen.BodyLines {
			body.Kind = sqlgen.BodyArray
		}
		body.Explained = true
		return m, body, ok
	}
	if onlyStar {
		if h := p.cat.Handlers[catalog.HandlerKey{Target: target, MediaType: "*/*"}]; h != nil {
			return custom(h)
		}
		if h := p.cat.Handlers[catalog.HandlerKey{Target: target, MediaType: m.String()}]; h != nil {
			return custom(h)
		}
	}
	if h := p.cat.Handlers[catalog.HandlerKey{MediaType: m.String()}]; h != nil {
		return custom(h)
	}
	switch m.Kind {
	case header.Any, header.JSON:
		return header.Media{Kind: header.JSON}, sqlgen.Body{Kind: sqlgen.BodyArray}, true
	case header.CSV:
		return m, sqlgen.Body{Kind: sqlgen.BodyCSV}, true
	case header.NDJSON:
		return m, sqlgen.Body{Kind: sqlgen.BodyLines}, true
	case header.GeoJSON:
		return m, sqlgen.Body{Kind: sqlgen.BodyGeoJSON}, true
	}
	return m, sqlgen.Body{}, false
}

func custom(h *catalog.Handler) (header.Media, sqlgen.Body, bool) {
	return header.ParseMedia([]byte(h.MediaType)), sqlgen.Body{Kind: sqlgen.BodyCustom, Function: h.Function, Target: h.Target}, true
}
