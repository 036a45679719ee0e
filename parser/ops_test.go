package parser

import "testing"

func TestOperators(t *testing.T) {
	n := 0
	for i := range opFacts {
		op := Op(i)
		if !op.Valid() {
			if op != opSimpleFence {
				t.Errorf("operator %d has no facts", i)
			}
			continue
		}
		n++
		if found, ok := lookupOp([]byte(op.Name())); !ok || found != op {
			t.Errorf("%s is not found", op.Name())
		}
		if op.SQL() == "" || (op.TSQuery() != "") != op.FullText() {
			t.Errorf("%s lacks a fact", op.Name())
		}
	}
	if n != 25 {
		t.Errorf("got %d operators", n)
	}
	for _, name := range []string{"", "x", "eqq", "EQ", "not"} {
		if _, ok := lookupOp([]byte(name)); ok {
			t.Errorf("%q is found", name)
		}
	}
	if op := Op(200); op.Valid() || op.Name() != "" {
		t.Error("an operator out of range has facts")
	}
}
