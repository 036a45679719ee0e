package catalog

import "testing"

func TestKeepsISO(t *testing.T) {
	for value, want := range map[string]bool{
		"ISO": true, "ISO, DMY": true, "iso, ymd": true, "DMY": true, "": true,
		"SQL, DMY": false, "German": false, "Postgres": false, "postgres, mdy": false,
	} {
		for _, name := range []string{"DateStyle", "datestyle"} {
			if got := KeepsISO([]Setting{{Name: "work_mem", Value: "1MB"}, {Name: name, Value: value}}); got != want {
				t.Errorf("%s = %s: %v", name, value, got)
			}
		}
	}
	if !KeepsISO(nil) || !KeepsISO([]Setting{{Name: "work_mem", Value: "SQL"}}) {
		t.Error("no DateStyle is taken for one")
	}
}
