package server

import (
	"context"
	"testing"
)

// storedSchema has a function for db-pre-config that reads a setting from a table.
// Where the value is 1, the function then waits for an advisory lock.
const storedSchema = `
create schema api;
create table public.setting (rows text);
insert into public.setting values ('1');
create function public.pre_config() returns void language plpgsql as $$
declare
  v text := (select rows from public.setting);
begin
  perform set_config('pgrst.db_max_rows', v, true);
  if v = '1' then perform pg_advisory_xact_lock_shared(7); end if;
end $$;
grant select on public.setting to public;
`

// TestOldSettingsOfDatabase: settings that were read early but arrive late are never
// put in force, not even by a later reload that cannot read them.
func TestOldSettingsOfDatabase(t *testing.T) {
	w := startWriter(t, storedSchema, map[string]string{direct: "yes", "db-pool": "2", "db-pre-config": "public.pre_config"})
	t.Run("an old read ends late", func(t *testing.T) {
		locked := w.connect()
		locked.Value("select pg_advisory_lock(7)")
		old := make(chan *configRead)
		go func() { old <- w.readConfiguration(context.Background()) }()
		w.await("exists (select from pg_locks where locktype = 'advisory' and objid = 7 and not granted)")
		w.sql("update public.setting set rows = '2'")
		w.reloadConfig(t.Context())
		locked.Value("select pg_advisory_unlock(7)")
		<-old // has a lower number, so the loop drops it
		w.sql("alter function public.pre_config rename to renamed")
		w.reloadConfig(t.Context())
		if rows := w.config().DBMaxRows; rows != 2 {
			t.Errorf("db-max-rows is %d, want 2", rows)
		}
		w.sql("alter function public.renamed rename to pre_config")
	})
	t.Run("a failed read began early", func(t *testing.T) {
		w.sql("update public.setting set rows = '3'")
		newest := w.readConfiguration(t.Context())
		w.sql("alter function public.pre_config rename to renamed")
		failed := w.readConfiguration(t.Context())
		newest.Install()
		failed.Install()
		if rows := w.config().DBMaxRows; rows != 3 {
			t.Errorf("db-max-rows is %d, want 3", rows)
		}
	})
}
