package parser_test

import (
	"fmt"

	"github.com/fastgrest/fastgrest/parser"
)

func ExampleQuery_Parse() {
	var q parser.Query // pooled in real life
	raw := []byte("select=id,director:person!inner(name)&rating=gte.8&or=(year.eq.1999,title.ilike.*moon*)&order=rating.desc&limit=10")
	if err := q.Parse(raw, parser.ModeRelation); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(&q)
	fmt.Printf("%s\n", q.Values)
	// Output:
	// select id, director:person inner(name)
	// filter rating gte $0 "8"
	// logic or(year eq $1 "1999", title ilike $2 "%moon%")
	// order rating desc
	// range limit 10 offset 0
	// [8 1999 %moon%]
}

func ExampleError() {
	var q parser.Query
	fmt.Println(q.Parse([]byte("select=id&id=equals.1"), parser.ModeRelation))
	// Output:
	// "failed to parse filter (equals.1)" (line 1, column 3): unexpected "u" expecting operator (eq, gt, ...)
}

func ExampleQuery_AppendShape() {
	var a, b parser.Query
	a.Parse([]byte("id=eq.1&limit=5"), parser.ModeRelation)
	b.Parse([]byte("id=eq.2&limit=50"), parser.ModeRelation)
	fmt.Println(string(a.AppendShape(nil)) == string(b.AppendShape(nil)))
	// Output:
	// true
}
