package check

import "testing"

func TestHoistCalls(t *testing.T) {
	functions := []string{"auth.uid", `"Odd".f`}
	f := func(text, want, first string) {
		t.Helper()
		if got, call := hoistCalls(text, functions); got != want || call != first {
			t.Errorf("%s\n  became %s (%s)\n  want   %s (%s)", text, got, call, want, first)
		}
	}
	same := func(text string) { t.Helper(); f(text, text, "") }

	same("true")
	same("(owner = CURRENT_USER)")
	same("(id = ( SELECT auth.uid() AS uid))")
	same("(id = ( SELECT (current_setting('a.b'::text))::integer AS current_setting))")
	same("(f(id) AND other.uid())")
	same("(id = auth.uid(id))")
	same("(name = 'auth.uid()'::text)")
	same(`(name = E'it\'s auth.uid()'::text)`)

	f("(id = auth.uid())", "(id = ( SELECT auth.uid()))", "auth.uid")
	f("(zone = current_setting('a.b'::text))", "(zone = ( SELECT current_setting('a.b'::text)))", "current_setting")
	f("((current_setting('a.b'::text) IS NOT NULL) AND true)", "( SELECT ((current_setting('a.b'::text) IS NOT NULL) AND true))", "current_setting")
	f(`("Odd".f() = id)`, `(( SELECT "Odd".f()) = id)`, `"Odd".f`)
	f("(random() < (current_setting('a.b'::text))::double precision)", "(random() < ( SELECT (current_setting('a.b'::text)))::double precision)", "current_setting")
	f("auth.uid()", "( SELECT auth.uid())", "auth.uid")
	f("(id = (current_setting('a.b'::text, true))::integer)", "(id = ( SELECT (current_setting('a.b'::text, true)))::integer)", "current_setting")
	f("(sub = ((current_setting('claims'::text, true))::json ->> 'sub'::text))", "(sub = ( SELECT ((current_setting('claims'::text, true))::json ->> 'sub'::text)))", "current_setting")
	f("((current_setting('role'::text) = ANY (ARRAY['a'::text, 'b'::character varying(3)])) OR visible)",
		"(( SELECT (current_setting('role'::text) = ANY (ARRAY['a'::text, 'b'::character varying(3)]))) OR visible)", "current_setting")
	f("(current_setting('role'::text) = 'admin'::text)", "( SELECT (current_setting('role'::text) = 'admin'::text))", "current_setting")
	f("(EXISTS ( SELECT 1\n   FROM api.member m\n  WHERE ((m.team = doc.team) AND (m.id = auth.uid()))))",
		"(EXISTS ( SELECT 1\n   FROM api.member m\n  WHERE ((m.team = doc.team) AND (m.id = ( SELECT auth.uid())))))", "auth.uid")
	f("((a = ( SELECT auth.uid() AS uid)) OR (b = current_setting('x.y'::text)))",
		"((a = ( SELECT auth.uid() AS uid)) OR (b = ( SELECT current_setting('x.y'::text))))", "current_setting")
	// Text that is no expression must not lead out of bounds.
	for _, text := range []string{"", "(", ")", "'", `"`, "a.(", "::", "auth.uid(", "x::", "E'"} {
		hoistCalls(text, functions)
	}
}
