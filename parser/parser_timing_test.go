package parser

import "testing"

const (
	typicalQuery = "select=id,name,budget&id=eq.1&name=like.a&order=name.desc.nullslast&limit=10"
	complexQuery = "select=id,title,meta->a->>0::text,n:count(),director:person!movie_director_fk!inner(full_name,awards(*))" +
		",...country(c:name,region)&or=(rating.gte.8,and(year.gt.2000,year.lt.2010,not.or(title.ilike.*x*,id.in.(1,2,3))))" +
		"&person.awards.limit=3&person.awards.order=year.desc&person.full_name=not.is.null&title=fts(english).war" +
		"&order=rating.desc.nullslast,country(name),title&limit=25&offset=50"
	encodedQuery = "select=%22the%20id%22,%C3%BC+b,a%20-%20b&id=in.(%221%22,%222%5C%22%22,3)&name=ilike.*%C3%A9*&or=(a.eq.%22x%2Cy%22)"
)

func benchmark(b *testing.B, raw string) {
	var q Query
	var key []byte
	text := []byte(raw)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := q.Parse(text, ModeRelation); err != nil {
			b.Fatal(err)
		}
		key = q.AppendShape(key[:0])
	}
}

func BenchmarkTypical(b *testing.B) { benchmark(b, typicalQuery) }
func BenchmarkComplex(b *testing.B) { benchmark(b, complexQuery) }
func BenchmarkEncoded(b *testing.B) { benchmark(b, encodedQuery) }
func BenchmarkByKey(b *testing.B)   { benchmark(b, "id=eq.1") }

func BenchmarkCanonical(b *testing.B) {
	var q Query
	if err := q.Parse([]byte(complexQuery), ModeRelation); err != nil {
		b.Fatal(err)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = q.AppendCanonical(dst[:0])
	}
}

// BenchmarkRefused is the cold path: the query is parsed twice.
func BenchmarkRefused(b *testing.B) {
	var q Query
	text := []byte(complexQuery + "&x=nope.1")
	b.ReportAllocs()
	for b.Loop() {
		if q.Parse(text, ModeRelation) == nil {
			b.Fatal("accepted")
		}
	}
}
