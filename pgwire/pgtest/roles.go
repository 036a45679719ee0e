package pgtest

import (
	"fmt"
	"strings"
)

// Roles of every cluster. Tests share them and do not alter them; Role makes further ones.
const (
	Anon   = "test_anon"
	User   = "test_user"
	Other  = "test_other"
	Serial = "test_serial" // its default_transaction_isolation is serializable
	Login  = "test_login"  // may log in, inherits no rights, and may become each of the roles above
)

const createRoles = `
create role test_anon; create role test_user; create role test_other; create role test_serial;
alter role test_serial set default_transaction_isolation = 'serializable';
create role test_login login noinherit;
grant test_anon, test_user, test_other, test_serial to test_login;`

// Role returns SQL that creates a role which Login may become. Settings are as in "lock_timeout =
// '60ms'". The SQL does nothing if the cluster has the role; tests that run in parallel may all use it.
func Role(name string, settings ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `do $$ begin
  lock table pg_authid in share row exclusive mode;
  if not exists (select from pg_roles where rolname = '%[1]s') then
    create role %[1]s; grant %[1]s to test_login;
`, name)
	for _, s := range settings {
		fmt.Fprintf(&b, "    alter role %s set %s;\n", name, s)
	}
	b.WriteString("  end if;\nend $$;\n")
	return b.String()
}
