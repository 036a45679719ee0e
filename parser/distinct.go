package parser

// The grammar of distinct=, whose key is [path.]distinct:
//
//	distinct = "true" / field *( "," field )
//
// A text with an operator, such as distinct=eq.1, is a filter on a column called
// distinct. No other text can be both: the fields have no dots.

// parseDistinct reads a parameter that is not a filter, because its value has no
// operator. f has the key.
func (q *Query) parseDistinct(f *Filter, value []byte) bool {
	if q.Extensions&ExtDistinct == 0 || string(f.Field.Name) != "distinct" || f.Field.Path.N > 0 {
		return false
	}
	d := DistinctList{Path: f.Path, Off: int32(len(q.On))}
	if string(value) != "true" {
		l := lexer{q: q, s: value}
		for more := true; more; more = l.take(',') {
			field, ok := l.field()
			if !ok {
				return false
			}
			q.On = append(q.On, field)
		}
		if !l.done() {
			return false
		}
		d.N = int32(len(q.On)) - d.Off
	}
	q.Distincts = append(q.Distincts, d)
	return true
}
