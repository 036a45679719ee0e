package uitest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// ask is a script that sends a QUERY with the fetch of the browser or of Node.
const ask = `fetch(%q, {
	method: "QUERY", body: "select=id&order=id&limit=2",
	headers: {"Content-Type": "application/x-www-form-urlencoded", "Prefer": "count=exact"},
}).then(async r => r.status + " " + await r.text())`

const asked = `206 [{"id":1},{"id":2}]`

// upsert is a program that writes with the builders of postgrest-js. The unique index
// on the columns of onConflict is partial.
const upsert = `import { PostgrestClient } from '@supabase/postgrest-js'

const headers = { Authorization: 'Bearer %s' }
const api = new PostgrestClient(process.env.API, { headers })
const rows = [{ book_id: 3, member_id: 2, lent_on: '2026-10-06', due_on: '2027-01-01' },
              { book_id: 3, member_id: 1, lent_on: '2026-11-01', due_on: '2027-02-02' }]
const many = new PostgrestClient(process.env.API, { headers: { ...headers, Prefer: 'params=multiple-objects' } })
for (const sent of [
  api.from('loan').upsert(rows, { onConflict: 'book_id,member_id' }).select('book_id,member_id,due_on').order('member_id'),
  many.from('branch').update([{ id: 1, city: 'X' }, { id: 2, city: 'Y' }]).select('id,city').order('id'),
]) {
  const { data, error, status } = await sent
  console.log(status, JSON.stringify(error ?? data))
}
`

const upserted = `201 [{"book_id":3,"member_id":1,"due_on":"2027-02-02"},{"book_id":3,"member_id":2,"due_on":"2027-01-01"}]
200 [{"id":1,"city":"X"},{"id":2,"city":"Y"}]`

// TestQuery sends QUERY requests, a batch and upserts, with the clients that people have: a
// page of another origin, for which the browser asks the server first, and Node.
func TestQuery(t *testing.T) {
	api, _ := startDemo(t)

	t.Run("browser", func(t *testing.T) {
		browser := startBrowser(t, findBrowser(t))
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,">`))
		}))
		t.Cleanup(other.Close)
		tab, console := openTab(t, browser)
		do(t, tab, chromedp.Navigate(other.URL))
		if got := run(t, tab, chromedp.Evaluate[string](fmt.Sprintf(ask, api+"/book"), chromedp.EvalAwaitPromise)); got != asked {
			t.Errorf("got %q, want %q", got, asked)
		}
		for _, text := range console.seen() {
			t.Errorf("the console says: %s", text)
		}
	})

	t.Run("node", func(t *testing.T) {
		api, token := startLibrary(t)
		dir := clientsFolder(t, api, token)
		write(t, dir+"/ask.mjs", "console.log(await "+fmt.Sprintf(ask, api+"/book")+")\n")
		if got := runNode(t, dir, "ask.mjs", api); got != asked {
			t.Errorf("got %q, want %q", got, asked)
		}
		// The filter of read.mjs is too long for a URL.
		if got := runNode(t, dir, "read.mjs", api); !strings.HasSuffix(got, `[{"id":1},{"id":2},{"id":3}]`) {
			t.Errorf("read.mjs printed %q", got)
		}
		const nested = `[{"name":"Ted Chiang","book":[{"title":"Exhalation"}]},{"name":"Greg Egan","book":[]}]`
		if got := runNode(t, dir, "insert.mjs", api); got != nested {
			t.Errorf("insert.mjs printed %q, want %q", got, nested)
		}
		// One object, for which the client does not send columns=, and one that fails.
		write(t, dir+"/one.mjs", strings.NewReplacer("API", api, "TOKEN", token).Replace(insertOne))
		if got := runNode(t, dir, "one.mjs", api); got != insertedOne {
			t.Errorf("one.mjs printed %q, want %q", got, insertedOne)
		}
		if got := runNode(t, dir, "order.js", api); got != `[{"id":90,"name":"Poetry","parent_id":null},[{"name":"Sonnet","parent_id":90}]]` {
			t.Errorf("order.ts printed %q", got)
		}
		write(t, dir+"/upsert.mjs", fmt.Sprintf(upsert, token))
		if got := runNode(t, dir, "upsert.mjs", api); got != upserted {
			t.Errorf("upsert.mjs printed %s, want %s", got, upserted)
		}
	})
}

const insertOne = `
import { PostgrestClient } from '@supabase/postgrest-js'
const api = new PostgrestClient('API', { headers: { Authorization: 'Bearer TOKEN' } })
const genre = { name: 'Space', genre: [{ name: 'Opera' }, { name: 'Station' }] }
const one = await api.from('genre').insert(genre).select('name,genre(name)').single()
console.log(JSON.stringify(one.error ?? one.data))
const two = await api.from('genre').insert([{ name: 'Time', genre: { name: 'Travel' } }])
console.log(two.status, two.error.code, two.error.details)
const three = await api.from('genre').select('name').eq('name', 'Time')
console.log(JSON.stringify(three.data))
`

const insertedOne = `{"name":"Space","genre":[{"name":"Opera"},{"name":"Station"}]}
400 PGRSTX50 /0/genre: Expected an array of objects
[]`
