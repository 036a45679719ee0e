package exec

import (
	"reflect"
	"testing"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/pgwire"
)

// TestSinksSeeNoRequest: what takes rows has no way to the headers, the token or
// the payload of the request. The types of the sinks are followed through all
// fields, pointers and elements. (This package cannot name a type of the HTTP
// server: TestArchImports.)
func TestSinksSeeNoRequest(t *testing.T) {
	request := []reflect.Type{
		reflect.TypeFor[Execution](), reflect.TypeFor[Call](), reflect.TypeFor[Engine](), reflect.TypeFor[pgwire.Flight](),
		reflect.TypeFor[parser.Param](), reflect.TypeFor[body.Pair](),
	}
	reached := map[reflect.Type]string{}
	reach(reached, reflect.TypeFor[sinks](), "sinks")
	for _, r := range request {
		if path, ok := reached[r]; ok {
			t.Errorf("a sink reaches %v by %s", r, path)
		}
	}
	for _, sink := range []pgwire.Sink{&rowsSink{}, &linesSink{}, &streamSink{}, &tagSink{}, &planSink{}, &valueSink{}, &largeSink{}, &estimateSink{}, &settingsSink{}} {
		if reached[reflect.TypeOf(sink).Elem()] == "" {
			t.Errorf("%T is not among the sinks of an Execution", sink)
		}
	}
	// The search finds what there is.
	reached = map[reflect.Type]string{}
	reach(reached, reflect.TypeFor[Execution](), "Execution")
	for _, r := range request {
		if reached[r] == "" {
			t.Errorf("%v is not found even from an Execution", r)
		}
	}
}

// reach notes all types that a value of type t leads to, and by which path.
func reach(reached map[reflect.Type]string, t reflect.Type, path string) {
	if reached[t] != "" {
		return
	}
	reached[t] = path
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map, reflect.Chan:
		reach(reached, t.Elem(), path)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			reach(reached, f.Type, path+"."+f.Name)
		}
	}
}
