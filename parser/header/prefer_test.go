package header

import (
	"strings"
	"testing"
)

// show prints a Prefer on one line: the applied preferences, then the invalid
// ones after a bar.
func show(p *Prefer) string {
	s := string(p.AppendApplied(nil))
	if p.HasMaxAffected && p.Handling != HandlingStrict {
		s += " (max-affected)"
	}
	for _, b := range p.Invalid {
		s += "|" + string(b)
	}
	return s
}

func TestPrefer(t *testing.T) {
	for _, tt := range []struct {
		lines string // separated by newlines
		want  string
	}{
		{"", ""},
		{"return=representation", "return=representation"},
		{"return=minimal, return=representation", "return=minimal"},
		{"return=representation\nreturn=minimal", "return=representation"},
		{"return=headers-only, count=exact", "return=headers-only, count=exact"},
		{"return=Representation", "|return=Representation"},
		{"RETURN=representation", "|RETURN=representation"},
		{"return = representation", "|return = representation"},
		{"return=representation;x=y", "|return=representation;x=y"},
		{"  count=exact  ,   handling=lenient ", "count=exact, handling=lenient"},
		{"\tcount=planned\v,\r\fresolution=merge-duplicates\xA0", "resolution=merge-duplicates, count=planned"},
		{"count=estimated", "count=estimated"},
		{"missing=null,missing=default", "missing=null"},
		{
			"missing=default, resolution=merge-duplicates, return=representation, count=exact, handling=strict, timezone=UTC, max-affected=5, tx=commit",
			"resolution=merge-duplicates, missing=default, return=representation, count=exact, tx=commit, handling=strict, timezone=UTC, max-affected=5",
		},
		{"params=multiple-objects, return=minimal", "return=minimal, params=multiple-objects"},
		{"params=single-object", "|params=single-object"},
		{"tx=rollback, tx=commit", "tx=rollback"},
		{"handling=strict, foo, bar=baz", "handling=strict|foo|bar=baz"},
		{"handling=strict\nfoo", "handling=strict|foo"},
		{"handling=strict,,", "handling=strict||"},
		{",", "||"},
		{"handling=STRICT, foo", "|handling=STRICT|foo"},
		{`handling=strict, "quoted"`, `handling=strict|"quoted"`},
		{"handling=strict, ünï", "handling=strict|ünï"},
		{"timezone=America/Los_Angeles", "timezone=America/Los_Angeles"},
		{"timezone=Europe/Madrid , timezone=UTC", "timezone=Europe/Madrid"},
		{"timezone=", "timezone="},
		{"timezone=UTC; drop table movie", "timezone=UTC; drop table movie"},
		{"Timezone=UTC", "|Timezone=UTC"},
		{"max-affected=5", " (max-affected)"},
		{"handling=lenient, max-affected=5", "handling=lenient (max-affected)"},
		{"handling=strict, max-affected=abc", "handling=strict"},
		{"handling=strict, max-affected=abc, max-affected=5", "handling=strict"},
		{"handling=strict\nmax-affected=0\nmax-affected=5", "handling=strict, max-affected=0"},
		{"handling=strict, max-affected=-1", "handling=strict, max-affected=-1"},
		{"handling=strict, max-affected= ( 0x10 )", "handling=strict, max-affected=16"},
		{"handling=strict, max-affected=9223372036854775808", "handling=strict, max-affected=-9223372036854775808"},
	} {
		var p Prefer
		for line := range strings.SplitSeq(tt.lines, "\n") {
			p.Add([]byte(line), true)
		}
		if got := show(&p); got != tt.want {
			t.Errorf("%q\n got %s\nwant %s", tt.lines, got, tt.want)
		}
	}
}

func TestPreferTxNotAllowed(t *testing.T) {
	var p Prefer
	p.Add([]byte("tx=rollback, tx=maybe, return=minimal"), false)
	if got := show(&p); got != "return=minimal|tx=maybe" {
		t.Error(got)
	}
	if p.Tx != TxNone {
		t.Error("tx is not for the client to say")
	}
}

func TestPreferReset(t *testing.T) {
	var p Prefer
	p.Add([]byte("a,b,handling=strict,timezone=UTC,max-affected=1"), true)
	p.Reset()
	if got := show(&p); got != "" || p.HasTimezone || p.HasMaxAffected || len(p.Invalid) != 0 {
		t.Errorf("left over: %+v", p)
	}
	p.Add([]byte("max-affected=2"), true)
	if !p.HasMaxAffected || p.MaxAffected != 2 {
		t.Error("the first max-affected after Reset has to count")
	}
	p.Add([]byte(strings.Repeat(",", 1000)), true)
	p.Reset()
	if cap(p.Invalid) > keepInvalid {
		t.Error("a long list is kept")
	}
}

func TestReadInt64(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "007": "7", "-5": "-5", "- 5": "-5", " 5\t": "5", "(5)": "5", "((-5 ) )": "-5",
		"0x1F": "31", "0XfF": "255", "0o17": "15", "0b101": "5",
		"": "", "-": "", "--5": "", "+5": "", "1.0": "", "1e3": "", "5x": "", "0x": "", "0xg": "", "(5": "", "5)": "",
		"-(5)": "", "NaN": "", "5 5": "", "-.5": "", "18446744073709551617": "1",
	} {
		p := Prefer{Handling: HandlingStrict}
		if p.MaxAffected, p.HasMaxAffected = readInt64([]byte(text)); p.HasMaxAffected {
			want = "handling=strict, max-affected=" + want
		} else if want == "" {
			want = "handling=strict"
		}
		if got := string(p.AppendApplied(nil)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	deep := strings.Repeat("(", 100) + "5" + strings.Repeat(")", 100)
	if _, ok := readInt64([]byte(deep)); ok {
		t.Error("nesting is not bounded")
	}
}

func FuzzPrefer(f *testing.F) {
	for _, s := range []string{
		"return=representation, count=exact", "max-affected=((-0x7", "timezone=,,", "tx=commit;", "\xa0,\xa0x", "max-affected=- 5 )",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var p, q Prefer
		p.Add(line, true)
		if n := strings.Count(string(line), ",") + 1; len(p.Invalid) > n {
			t.Fatalf("%d pieces gave %d invalid preferences", n, len(p.Invalid))
		}
		// What was applied says the same when it is read again.
		applied := p.AppendApplied(nil)
		q.Add(applied, true)
		if got := q.AppendApplied(nil); string(got) != string(applied) {
			t.Fatalf("%q: applied %q reads as %q", line, applied, got)
		}
	})
}
