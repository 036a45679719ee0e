package catalog

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestScaleTmp(t *testing.T) {
	uri := os.Getenv("TMP_URI")
	if uri == "" {
		return
	}
	for range 2 {
		conn := connect(t, uri)
		conn.Exec(context.Background(), "begin isolation level repeatable read, read only").ReadAll()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		cat, err := Load(context.Background(), querier(conn), Options{Schemas: strings.Split(os.Getenv("TMP_SCHEMAS"), ","), HoistedTxSettings: []string{"statement_timeout"}})
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		total := after.TotalAlloc - before.TotalAlloc
		runtime.GC()
		runtime.ReadMemStats(&after)
		n := 0
		for _, l := range cat.Relationships {
			n += len(l)
		}
		t.Log(cat.Summary(), n, "relationships")
		for _, x := range cat.Timings {
			t.Log(x.Name, x.Took)
		}
		t.Logf("kept %d MB, allocated %d MB, sys %d MB", (after.HeapAlloc-before.HeapAlloc)>>20, total>>20, after.Sys>>20)
		runtime.KeepAlive(cat)
	}
}
