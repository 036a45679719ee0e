package planner

import (
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// TestRecordTypes: rowjson reads the types that statements return in records,
// and no others.
func TestRecordTypes(t *testing.T) {
	for oid := range uint32(1 << 14) {
		rangeType, returned := sqlgen.RecordTypes[oid]
		members := []rowjson.Member{{Name: "a", Type: oid, Text: rangeType != ""}}
		if _, read := rowjson.RecordArrayCodec(members); read != returned {
			t.Errorf("type %d: returned %t, read %t", oid, returned, read)
		}
	}
}
