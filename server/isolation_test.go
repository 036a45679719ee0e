package server

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	isolationRequests = flag.Int("isolation", 3000, "requests of TestPoisonedSessions and TestPoisonedReplicas")
	isolationSeed     = flag.Uint64("isolation-seed", 0, "seed of their requests; 0: the time")
)

// isolationSchema can report the identity of a request, and has functions that try
// to change the identity of the next one.
const isolationSchema = `
do $$ begin
  if not exists (select from pg_roles where rolname = 'iso_0') then
    create role iso_0; create role iso_1; create role iso_2; create role iso_3;
    create role iso_serial; create role iso_hurried; create role iso_victim; create role iso_anon;
    create role iso_login login noinherit;
    alter role iso_serial set default_transaction_isolation = 'serializable';
    alter role iso_hurried set statement_timeout = '7s';
  end if;
  grant iso_0, iso_1, iso_2, iso_3, iso_serial, iso_hurried, iso_victim, iso_anon to iso_login;
end $$;
create schema api; create schema other; create schema evil;

-- Built-in functions only: the server knows that reading it runs no user code,
-- so that such reads share connections and do not soil them.
create view api.me as select
  current_user::text as who, session_user::text as login,
  coalesce(current_setting('request.jwt.claims', true), '') as claims,
  current_setting('search_path') as path, current_setting('timezone') as zone,
  current_setting('transaction_read_only') as ro, current_setting('transaction_isolation') as level,
  current_setting('request.path', true) as url, current_setting('request.method', true) as method,
  current_setting('request.headers', true)::json->>'x-tag' as tag,
  concat_ws(' ', nullif(current_setting('iso.left', true), ''),
    nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), ''),
    nullif(current_setting('statement_timeout'), '0'), nullif(current_setting('datestyle'), 'ISO, MDY'),
    nullif(current_setting('default_transaction_read_only'), 'off'), nullif(current_setting('default_transaction_isolation'), 'read committed'),
    nullif(current_setting('row_security'), 'on'), nullif(current_setting('extra_float_digits'), '1'), nullif(current_setting('bytea_output'), 'hex'),
    nullif(current_setting('client_encoding'), 'UTF8'), nullif(current_setting('work_mem'), '4MB'), nullif(current_setting('intervalstyle'), 'postgres'),
    to_regclass('pg_temp.marker')::text, nullif((select count(*) from pg_listening_channels()), 0),
    nullif((select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), 0),
    (select string_agg(name, ' ') from pg_prepared_statements where from_sql),
    (select string_agg(name, ' ') from pg_cursors where is_holdable)) as leftover,
  1.1::float8 as f, '\x01'::bytea as b, 'ä'::text as t, interval '1 day' as i;
create view other.me as select * from api.me;
create view api.blind as select ''::text as seen;

create table api.marker as select 'genuine' as value;
create table evil.marker as select 'evil' as value;
create function evil.set_config(text, text, bool) returns text language sql as $$ select pg_catalog.set_config($1, 'evil', $3) $$;
create function evil.num_nonnulls(variadic text[]) returns int language sql as 'select 0';
create function evil.current_setting(text) returns text language sql as $$ select 'evil' $$;

create function api.whoami() returns setof api.me volatile language plpgsql as $$
declare
  r api.me;
  value text;
begin
  select * from api.me into r;
  begin
    r.leftover := concat_ws(' ', nullif(r.leftover, ''), lastval());
  exception when object_not_in_prerequisite_state then null;
  end;
  select m.value into value from marker m;
  r.leftover := concat_ws(' ', nullif(r.leftover, ''), nullif(value, 'genuine'));
  return next r;
end $$;

create table api.note (
  id serial, who text default current_user, login text default session_user,
  claims text default coalesce(current_setting('request.jwt.claims', true), ''),
  path text default current_setting('search_path'), zone text default current_setting('timezone'),
  ro text default current_setting('transaction_read_only'), level text default current_setting('transaction_isolation'),
  url text default current_setting('request.path', true), method text default current_setting('request.method', true),
  tag text default current_setting('request.headers', true)::json->>'x-tag',
  leftover text default concat_ws(' ', nullif(current_setting('iso.left', true), ''), to_regclass('pg_temp.marker')::text),
  n int check (n > 0));

-- Rows are their owners'.
create table api.mine (tag text, owner text);
insert into api.mine select 'row of sub-' || i, 'sub-' || i from generate_series(0, 40) i;
alter table api.mine enable row level security;
create policy own on api.mine using (owner = current_setting('request.jwt.claims', true)::json->>'sub');
create function api.sub() returns text stable language plpgsql as $$
begin
  return current_setting('request.jwt.claims', true)::json->>'sub';
end $$;
create table api.ours (tag text, owner text);
insert into api.ours select 'row of sub-' || i, 'sub-' || i from generate_series(0, 40) i;
alter table api.ours enable row level security;
create policy own on api.ours using (owner = api.sub());

create function api.poison(how text, what text default '') returns text volatile language plpgsql as $$
begin
  case how
    when 'set' then perform set_config(split_part(what, '=', 1), split_part(what, '=', 2), false);
    when 'setlocal' then perform set_config(split_part(what, '=', 1), split_part(what, '=', 2), true);
    when 'sql' then execute what;
    when 'sleep' then perform set_config('statement_timeout', '5ms', true); perform pg_sleep(what::float8);
  end case;
  return 'done';
exception when insufficient_privilege or invalid_parameter_value or active_sql_transaction then
  return 'refused';
end $$;
create function api.poison_and_fail(how text, what text default '') returns text volatile language plpgsql as $$
begin
  perform api.poison(how, what);
  raise exception 'failed on purpose';
end $$;

grant usage on schema api, other, evil to public;
grant all on all tables in schema api, other, evil to public;
grant all on all sequences in schema api to public;
-- Allowed to become, not to use.
revoke usage on schema api from public;
grant usage on schema api to iso_0, iso_1, iso_2, iso_3, iso_serial, iso_hurried, iso_anon;
`

var poisons = []string{
	"set role=iso_victim", "set role=none", "set search_path=evil, pg_catalog", "set search_path=evil", "set search_path=pg_temp, evil, pg_catalog",
	`set request.jwt.claims={"sub":"sub-0","role":"iso_0"}`, "set request.path=/evil", "set request.method=EVIL", `set request.headers={"x-tag":"evil"}`,
	"set request.cookies={}", "set timezone=Asia/Tokyo", "set datestyle=German", "set intervalstyle=iso_8601", "set iso.left=left", "set iso.left=over",
	"set default_transaction_read_only=on", "set default_transaction_isolation=serializable", "set transaction_read_only=on", "set transaction_isolation=serializable",
	"set statement_timeout=60000", "set lock_timeout=60000", "set row_security=off", "set extra_float_digits=-3", "set bytea_output=escape",
	"set client_encoding=LATIN1", "set work_mem=64kB", `set response.headers=[{"X-Evil":"1"}]`, "set response.status=418", "set session_authorization=postgres",
	"set session_authorization=iso_victim", "setlocal role=iso_victim", "setlocal search_path=evil", "setlocal iso.left=left", "setlocal timezone=Asia/Tokyo",
	"sql set session authorization postgres", "sql set session authorization default", "sql set role iso_victim", "sql reset role", "sql reset all",
	"sql set local role iso_victim", "sql discard temp", "sql discard plans", "sql discard sequences",
	"sql create temp table if not exists marker as select 'fake' as value", "sql create temp table if not exists note (id int)", "sql create temp table if not exists me (who text)",
	"sql create temp table if not exists marker on commit drop as select 'fake' as value", "sql listen iso", "sql listen iso; notify iso, 'x'", "sql unlisten *",
	"sql select pg_advisory_lock_shared(7)", "sql select pg_advisory_lock_shared(8); select pg_advisory_lock_shared(8)", "sql select pg_advisory_xact_lock_shared(9)",
	"sql deallocate all", "sql declare iso_c cursor with hold for select 1",
	"sql select pg_cancel_backend(pg_backend_pid()), pg_sleep(1)", "sql select nextval('api.note_id_seq')", "sql select 1/0", "sleep 0.03", "sql alter role current_user set iso.left = 'x'",
}

// me is a request's view of its identity and session.
type me struct {
	Who, Login, Claims, Path, Zone, Ro, Level, URL, Method, Tag, Leftover string
}

// TestPoisonedSessions: a request leaves nothing visible to another, whatever the
// functions it calls do to the session, in every form of transaction, after
// errors, timeouts and cancellations, on exclusive and shared connections. Each
// response has the identity it was made for.
//
//	go test ./server -run PoisonedSessions -isolation 100000
func TestPoisonedSessions(t *testing.T) {
	for _, test := range []struct {
		name, more string
		poisons    []string
		settings   string
	}{
		{"session", "", poisons, "all"},
		{"auto", "", poisons, "auto"},
		// Statements that functions prepare go at the price of ours.
		{"statements", preparing, append(poisons, "prepare x", "prepare y", "prepare f1", "prepare f2", "prepare f3"), "all"},
	} {
		t.Run(test.name, func(t *testing.T) {
			poisonedSessions(t, isolationSchema+test.more, test.poisons, map[string]string{"db-request-settings": test.settings})
		})
	}
}

// TestPoisonedReplicas is TestPoisonedSessions with two read replicas. Stable functions run on them.
func TestPoisonedReplicas(t *testing.T) {
	t.Parallel()
	stable := "alter function api.poison stable; alter function api.poison_and_fail stable;"
	poisonedSessions(t, isolationSchema+stable, poisons, map[string]string{replicated: "yes"})
}

const preparing = `
create or replace function api.poison(how text, what text default '') returns text volatile language plpgsql as $$
begin
  case how
    when 'prepare' then execute format('prepare %I as select %L', what, 'evil');
    when 'set' then perform set_config(split_part(what, '=', 1), split_part(what, '=', 2), false);
    when 'sql' then execute what;
    else perform set_config(split_part(what, '=', 1), split_part(what, '=', 2), true);
  end case;
  return 'done';
end $$;
`

func poisonedSessions(t *testing.T, schema string, poisons []string, flags map[string]string) {
	seed := *isolationSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-isolation-seed %d", seed)
	maps.Copy(flags, map[string]string{
		direct: "yes", login: "iso_login", "db-anon-role": "iso_anon", "db-pool": "3",
		"db-schemas": "api,other", "db-tx-end": "commit-allow-override", "statement-cache-max-entries": "24",
	})
	w := startWriter(t, schema, flags)
	// The schema cache does not know that this view now reads settings.
	w.sql("create or replace view api.blind as select concat(nullif(current_setting('request.headers', true), '')::json->>'x-tag', current_setting('request.path', true)) as seen")
	if w.nodes != nil {
		w.awaitReplicas()
	}
	roles := []string{"iso_0", "iso_1", "iso_2", "iso_3", "iso_serial", "iso_hurried", "iso_victim", "iso_anon"}
	tokens, zone := map[string]string{}, w.sql("show timezone")
	for _, role := range roles {
		for sub := range 4 {
			tokens[fmt.Sprint(role, sub)] = w.token(claimsOf(role, sub))
		}
	}
	var (
		workers   sync.WaitGroup
		count     atomic.Int64
		poisoned  atomic.Int64
		refusals  atomic.Int64
		failures  atomic.Int64
		complaint = func(format string, args ...any) {
			if failures.Add(1) < 20 {
				t.Errorf(format, args...)
			}
		}
	)
	const clients = 16
	for client := range clients {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(client)))
			for count.Add(1) <= int64(*isolationRequests) && failures.Load() < 20 {
				role, sub := roles[random.IntN(len(roles))], random.IntN(4)
				v := visit{w: w, usual: zone, random: random, role: role, sub: sub, poisons: poisons, tag: fmt.Sprintf("%d-%d", client, random.Uint64()), bearer: tokens[fmt.Sprint(role, sub)]}
				if random.IntN(3) == 0 {
					poisoned.Add(1)
					v.poison()
					continue
				}
				if problem := v.look(); problem != "" {
					complaint("%s as %s, sub-%d: %s", v.tag, role, sub, problem)
				}
				if role == "iso_victim" {
					refusals.Add(1)
				}
			}
		})
	}
	workers.Wait()
	if poisoned.Load() < int64(*isolationRequests)/5 || refusals.Load() == 0 {
		t.Errorf("only %d poisonings and %d requests without USAGE", poisoned.Load(), refusals.Load())
	}
	t.Logf("%d requests, %d of them to poison the session", *isolationRequests, poisoned.Load())
	for _, n := range w.nodeFigures() {
		t.Logf("%s: %d requests, %d of them ran again elsewhere", n.Name, n.Requests, n.Retried)
		if n.Requests == 0 {
			t.Errorf("no request ran on %s", n.Name)
		}
	}
}

func claimsOf(role string, sub int) string {
	return fmt.Sprintf(`{"role":"%s","sub":"sub-%d"}`, role, sub)
}

// visit is one request.
type visit struct {
	w                 *writer
	random            *rand.Rand
	role, tag, bearer string
	sub               int
	zone              string
	poisons           []string
	schema, usual     string
}

func (v *visit) head(more ...string) []string {
	return append([]string{"Authorization: Bearer " + v.bearer, "X-Tag: " + v.tag}, more...)
}

func (v *visit) poison() {
	how, what, _ := strings.Cut(v.poisons[v.random.IntN(len(v.poisons))], " ")
	body, _ := json.Marshal(map[string]string{"how": how, "what": what})
	target := "/rpc/poison"
	if v.random.IntN(6) == 0 {
		target = "/rpc/poison_and_fail"
	}
	var head []string
	switch v.random.IntN(8) {
	case 0:
		head = append(head, "Prefer: tx=rollback")
	case 1:
		head = append(head, "Accept: text/plain")
	case 2:
		head = append(head, "Prefer: handling=strict, max-affected=5")
	}
	v.w.ask("POST", target, string(body), v.head(head...)...)
}

// look sends a request with a known response and describes any difference.
func (v *visit) look() string {
	var head []string
	v.zone = "Etc/UTC"
	if v.random.IntN(5) == 0 {
		v.zone = [...]string{"Asia/Tokyo", "Europe/Rome"}[v.random.IntN(2)]
		head = append(head, "Prefer: timezone="+v.zone)
	}
	v.schema = "api"
	method, target, body, status := "GET", "/me", "", 200
	switch v.random.IntN(12) {
	default:
		if v.random.IntN(5) == 0 {
			v.schema = "other"
			head = append(head, "Accept-Profile: other")
		}
	case 4:
		method, target, body = "POST", "/rpc/whoami", "{}"
	case 5:
		target = "/rpc/whoami"
	case 3:
		return v.blind()
	case 6:
		return v.rows([...]string{"/mine", "/ours"}[v.random.IntN(2)])
	case 7, 8:
		method, target, body, status = "POST", "/note", `{"n":1}`, 201
		head = append(head, [...]string{"Prefer: return=representation", "Prefer: return=representation, tx=rollback"}[v.random.IntN(2)])
		if v.random.IntN(3) == 0 {
			body, head = `[{"n":1}]`, append(head, object) // a held commit
		}
	case 9:
		return v.refused("POST", "/note", `{"n":0}`, "23514")
	case 10:
		return v.refused("GET", "/me?nothing=eq.1", "", "42703")
	case 11:
		return v.refused("GET", "/me?f=eq.x", "", "22P02")
	}
	r := v.w.ask(method, target, body, v.head(head...)...)
	if v.role == "iso_victim" && v.schema == "api" {
		if r.code != "42501" {
			return fmt.Sprintf("a role without USAGE got %s %s: %v", method, target, r)
		}
		return ""
	}
	if r.status != status || strings.Contains(r.header.String(), "X-Evil") {
		return fmt.Sprintf("%s %s: %v\n%s", method, target, r, r.header.String())
	}
	var list []me
	text := r.body
	if !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) != 1 {
		return fmt.Sprintf("%s %s: %v", method, target, r)
	}
	want := me{
		Who: v.role, Login: "iso_login", Claims: claimsOf(v.role, v.sub), Path: `"` + v.schema + `", "public"`, Zone: v.zone,
		Ro: "off", Level: "read committed", URL: target, Method: method, Tag: v.tag,
	}
	if method == "GET" {
		want.Ro = "on"
	}
	switch v.role {
	case "iso_serial":
		want.Level = "serializable"
	case "iso_hurried":
		if target != "/note" {
			want.Leftover = "7s"
		}
	}
	got := list[0]
	if got.Zone == v.usual {
		got.Zone = "Etc/UTC"
	}
	if got != want {
		return fmt.Sprintf("%s %s:\n got %+v\nwant %+v", method, target, got, want)
	}
	if target == "/me" || target == "/rpc/whoami" {
		if !strings.Contains(r.body, `"f":1.1,"b":"\\x01","t":"ä","i":"1 day"`) {
			return "values are written otherwise: " + r.body
		}
	}
	return ""
}

// blind requests a row of settings, of which a request that goes without them
// sees none.
func (v *visit) blind() string {
	r := v.w.ask("GET", "/blind", "", v.head()...)
	own := `[{"seen":"` + v.tag + `/blind"}]`
	if v.role != "iso_victim" && r.body != own && (r.body != `[{"seen":""}]` || !v.w.config().DBRequestSettings.Auto) {
		return fmt.Sprintf("settings of another request: %v, want %s", r, own)
	}
	return ""
}

// rows requests the rows of this client.
func (v *visit) rows(target string) string {
	r := v.w.ask("GET", target+"?select=tag", "", v.head()...)
	if v.role == "iso_victim" {
		if r.code != "42501" {
			return fmt.Sprintf("a role without USAGE got %v", r)
		}
		return ""
	}
	if want := fmt.Sprintf(`[{"tag":"row of sub-%d"}]`, v.sub); r.body != want {
		return fmt.Sprintf("%s: %v, want %s", target, r, want)
	}
	return ""
}

func (v *visit) refused(method, target, body, code string) string {
	if v.role == "iso_victim" {
		code = "42501"
	}
	if r := v.w.ask(method, target, body, v.head()...); r.code != code {
		return fmt.Sprintf("%s %s: %v, want %s", method, target, r, code)
	}
	return ""
}
