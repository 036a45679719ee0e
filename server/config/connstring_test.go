package config

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestConnString(t *testing.T) {
	t.Setenv("PGAPPNAME", "")
	const app = "fastgrest 1.0 (a&b='c\\)"
	f := func(uri, want, wantReadWrite, name string) {
		t.Helper()
		c := &Config{DBURI: uri}
		if got := c.ConnString(ConnOptions{ApplicationName: app}); got != want {
			t.Errorf("%s:\n got %s\nwant %s", uri, got, want)
		}
		got := c.ConnString(ConnOptions{ApplicationName: app, ReadWrite: true})
		if got != wantReadWrite {
			t.Errorf("%s:\n got %s\nwant %s", uri, got, wantReadWrite)
		}
		parsed, err := pgconn.ParseConfig(got)
		if err != nil {
			t.Errorf("%s: %v", got, err)
			return
		}
		if parsed.RuntimeParams["application_name"] != name || parsed.ValidateConnect == nil {
			t.Errorf("%s is understood as %q, validated %v", got, parsed.RuntimeParams, parsed.ValidateConnect != nil)
		}
	}
	const q = "application_name=fastgrest%201.0%20%28a%26b%3D%27c%5C%29"
	const p = `application_name='fastgrest 1.0 (a&b=\'c\\)'`
	const rw, prw = "target_session_attrs=read-write", "target_session_attrs='read-write'"

	f("postgresql://", "postgresql://?"+q, "postgresql://?"+q+"&"+rw, app)
	f("postgres://u:p@h:5432/d", "postgres://u:p@h:5432/d?"+q, "postgres://u:p@h:5432/d?"+q+"&"+rw, app)
	f("postgres://u:p@h:5432/d?", "postgres://u:p@h:5432/d?"+q, "postgres://u:p@h:5432/d?"+q+"&"+rw, app)
	f("postgres:///d?host=h&port=5432", "postgres:///d?host=h&port=5432&"+q, "postgres:///d?host=h&port=5432&"+q+"&"+rw, app)
	f("postgresql://h1:123,h2:456/d", "postgresql://h1:123,h2:456/d?"+q, "postgresql://h1:123,h2:456/d?"+q+"&"+rw, app)
	f("postgresql://h/d?application_name=mine", "postgresql://h/d?application_name=mine", "postgresql://h/d?application_name=mine&"+rw, "mine")
	f("postgresql://h/d?fallback_application_name=fall%20back", "postgresql://h/d?application_name=fall%20back",
		"postgresql://h/d?application_name=fall%20back&"+rw, "fall back")
	f("postgresql://h/d?target_session_attrs=read-only", "postgresql://h/d?target_session_attrs=read-only&"+q, "postgresql://h/d?"+q+"&"+rw, app)

	f("host=h dbname=d", "host=h dbname=d "+p, "host=h dbname=d "+p+" "+prw, app)
	f("  host = 'a b'  user=u\\ v ", "host = 'a b' user=u\\ v "+p, "host = 'a b' user=u\\ v "+p+" "+prw, app)
	f("host=h application_name='my own'", "host=h application_name='my own'", "host=h application_name='my own' "+prw, "my own")
	f(`host=h fallback_application_name='it\'s'`, `host=h application_name='it\'s'`, `host=h application_name='it\'s' `+prw, "it's")
	f("host=h target_session_attrs=read-only", "host=h target_session_attrs=read-only "+p, "host=h target_session_attrs=read-only "+p+" "+prw, app)

	// A question mark in a password does not begin parameters.
	c := &Config{DBURI: "postgres://admin2:?pass?special?@localhost:5432/postgres"}
	if got, want := c.ConnString(ConnOptions{ApplicationName: "x"}), c.DBURI+"?application_name=x"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// What is no connection string is left alone.
	for _, uri := range []string{"tmp_db", ""} {
		if got := (&Config{DBURI: uri}).ConnString(ConnOptions{ApplicationName: "x", ReadWrite: true}); got != uri {
			t.Errorf("got %s, want %s", got, uri)
		}
	}
	// The environment's name is stronger than a fallback.
	t.Setenv("PGAPPNAME", "theirs")
	for _, uri := range []string{"postgresql://h/d", "host=h"} {
		c := &Config{DBURI: uri}
		parsed, err := pgconn.ParseConfig(c.ConnString(ConnOptions{ApplicationName: app}))
		if err != nil || parsed.RuntimeParams["application_name"] != "theirs" {
			t.Errorf("%s: %v, %v", uri, parsed.RuntimeParams, err)
		}
	}
}

// TestConnEnvironment: variables that pgconn does not read are parameters, where the
// connection string has none. The address is that of the primary only.
func TestConnEnvironment(t *testing.T) {
	t.Setenv("PGHOSTADDR", "127.0.0.1")
	t.Setenv("PGDATESTYLE", "SQL, DMY")
	t.Setenv("PGGEQO", "off")
	f := func(uri, want string) {
		t.Helper()
		if got := (&Config{DBURI: uri}).ConnString(ConnOptions{}); got != want {
			t.Errorf("%s: got %s, want %s", uri, got, want)
		}
	}
	f("postgresql://", "postgresql://?hostaddr=127.0.0.1&datestyle=SQL%2C%20DMY&geqo=off")
	f("postgresql://h/d?hostaddr=::1&geqo=on", "postgresql://h/d?hostaddr=::1&geqo=on&datestyle=SQL%2C%20DMY")
	f("host=h", "host=h hostaddr='127.0.0.1' datestyle='SQL, DMY' geqo='off'")
	f("host=h hostaddr=::1 datestyle=ISO", "host=h hostaddr=::1 datestyle=ISO geqo='off'")
	f("t1", "t1")
	c := &Config{DBReadReplicas: "postgres://r/d"}
	if got, want := c.ReplicaStrings(ConnOptions{}), []string{"postgres://r/d?datestyle=SQL%2C%20DMY&geqo=off"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzConnString: no text makes the editing panic.
func FuzzConnString(f *testing.F) {
	for _, seed := range []string{"postgres://u:p@h/d?a=b&c", "host='a b' user=u\\ ", "a=", "=", "'", "x='\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		(&Config{DBURI: uri}).ConnString(ConnOptions{ApplicationName: "x", ReadWrite: true})
	})
}

func TestSplitConnStrings(t *testing.T) {
	f := func(list string, want ...string) {
		t.Helper()
		if got := splitConnStrings(list); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
	f("")
	f(" , ")
	f("postgres://a/d", "postgres://a/d")
	f("postgres://a/d, postgresql://b/d,", "postgres://a/d", "postgresql://b/d")
	f("postgres://a,b/d,postgres://c/d", "postgres://a,b/d", "postgres://c/d")
	f("postgres:///d?host=/a,/b&port=1,2,postgres:///d?host=/c", "postgres:///d?host=/a,/b&port=1,2", "postgres:///d?host=/c")
	f("postgres:///d?options=-c%20x=a,b=c", "postgres:///d?options=-c%20x=a,b=c")
	f("host=a dbname=d, host=b dbname=d", "host=a dbname=d", "host=b dbname=d")
	f("host=a,b port=1,2 dbname=d,host=c,postgres://e/f", "host=a,b port=1,2 dbname=d", "host=c", "postgres://e/f")
}
