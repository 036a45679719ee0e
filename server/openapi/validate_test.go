package openapi

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-openapi/loads"
	"github.com/go-openapi/strfmt"
	"github.com/go-openapi/validate"
)

// faults returns the faults that a library for OpenAPI 2.0 finds in a document.
// It loads the document, resolves every reference and validates it against the
// standard.
func faults(t *testing.T, doc []byte) (errors, warnings []string) {
	t.Helper()
	spec, err := loads.Analyzed(json.RawMessage(doc), "2.0")
	if err != nil {
		t.Fatal(err)
	}
	v := validate.NewSpecValidator(spec.Schema(), strfmt.Default)
	v.SetContinueOnErrors(true)
	found, warned := v.Validate(spec)
	for _, e := range found.Errors {
		errors = append(errors, e.Error())
	}
	for _, e := range append(found.Warnings, warned.Errors...) {
		warnings = append(warnings, e.Error())
	}
	return errors, warnings
}

// TestValid checks that the document of an ordinary schema has no faults.
func TestValid(t *testing.T) {
	cat := load(t, filepath.Join("testdata", "shop.sql"), "shop")
	errors, warnings := faults(t, everything(cat, "shop", "A shop\n\nSells things."))
	for _, e := range errors {
		t.Error(e)
	}
	for _, w := range warnings {
		// PostgREST declares this parameter and never refers to it.
		if w != `parameter "#/parameters/on_conflict" is not used anywhere` &&
			// A table that is not writable still has a body parameter.
			w != `parameter "#/parameters/body.stock" is not used anywhere` {
			t.Error("warning:", w)
		}
	}
}

// inherent are faults that PostgREST's documents have too for such schemas,
// each with its reason.
var inherent = []struct{ fault, reason string }{
	{`^duplicate parameter name "(select|order|limit|offset)" for "query"`, "a column of that name, and its row filter"},
	{`^"?paths\./rpc/\w+\.get\.parameters\.`, "an argument without a name"},
	{`must be of type uuid: "gen_random_uuid\(\)"$`, "an expression shown as a default"},
	{`^in operation "", default value in response 200 does not validate its schema$`, "the same"},
	{`^default value for customer in body does not validate its schema$`, "the same"},
}

// TestFestivalFaults checks the corpus's schema, which has odd names on
// purpose. Its document may have only the faults of PostgREST's document.
func TestFestivalFaults(t *testing.T) {
	doc := string(everything(loadFestival(t), "api", "Festival"))
	// In the reference to this column's filter, "%pe" is not a valid URI
	// escape, and the library stops there.
	doc = strings.ReplaceAll(doc, "with%percent", "with percent")
	errors, _ := faults(t, []byte(doc))
	met := make([]bool, len(inherent))
	for _, e := range errors {
		known := false
		for i, f := range inherent {
			if regexp.MustCompile(f.fault).MatchString(e) {
				known, met[i] = true, true
			}
		}
		if !known {
			t.Error(e)
		}
	}
	for i, f := range inherent {
		if !met[i] {
			t.Errorf("no fault matches %s (%s)", f.fault, f.reason)
		}
	}
}
