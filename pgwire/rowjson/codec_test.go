package rowjson

import (
	"testing"
)

func TestAppendString(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := string(AppendString([]byte("x"), []byte(in))); got != "x"+want {
			t.Errorf("AppendString(%q) = %s, want %s", in, got[1:], want)
		}
	}
	f("", `""`)
	f("a", `"a"`)
	f("12345678", `"12345678"`)
	f("1234567\"", `"1234567\""`)
	f(`\`, `"\\"`)
	f("\b\f\n\r\t", `"\b\f\n\r\t"`)
	f("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"")
	f("<&>/'", `"<&>/'"`)
	f("äöü€😀 "+"tail of a longer string\n", `"äöü€😀 tail of a longer string\n"`)
	f("\xff\xfe invalid", "\"\xff\xfe invalid\"")
}

func TestAppendObject(t *testing.T) {
	cols := make([]Column, 3)
	for i, c := range []struct {
		name string
		oid  uint32
	}{{"id", 23}, {`we"ird`, 25}, {"day", 1082}} {
		var ok bool
		if cols[i], ok = NewColumn(c.name, c.oid); !ok {
			t.Fatalf("NewColumn(%q, %d) has no codec", c.name, c.oid)
		}
	}
	row := [][]byte{{0, 0, 1, 0}, nil, {0, 0, 0, 0}}
	got, ok := AppendObject([]byte("["), cols, row)
	if want := `[{"id":256,"we\"ird":null,"day":"2000-01-01"}`; !ok || string(got) != want {
		t.Errorf("AppendObject = %s, %v, want %s", got, ok, want)
	}
	row[2] = []byte{1}
	got, ok = AppendObject([]byte("["), cols, row)
	if ok || string(got) != "[" {
		t.Errorf("AppendObject with a short date = %q, %v, want the old buffer and false", got, ok)
	}
	if got, ok = AppendObject(nil, cols, row[:2]); ok || len(got) != 0 {
		t.Errorf("AppendObject with a value missing = %q, %v, want false", got, ok)
	}
	if _, ok := NewColumn("r", 2249); ok {
		t.Error("NewColumn: record has a codec")
	}
}
