package main

import (
	"os"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// asProgram makes this test binary the program: a process of its own, that can
// be sent signals.
const asProgram = "FASTGREST_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	pgtest.Main(m)
}
