// Package uitest tests the two user interfaces in a browser: the OpenAPI
// document in Swagger UI, and the page of the admin port. It consists of tests
// and runs the program from outside.
//
//	demo_test.go     builds the program and starts its demo
//	dist_test.go     Swagger UI, one pinned npm package, kept in the user's cache
//	browser_test.go  a headless Chromium and the errors of its console
//	ui_test.go       the tests of Swagger UI
//	admin_test.go    the tests of the admin port's page
//
// The tests are skipped with a reason if there is no Chromium or npm, or if the
// package cannot be downloaded. With FASTGREST_UI_TEST=1, which `make ui` sets,
// they fail instead.
//
// Screenshots go to the folder FASTGREST_ARTIFACTS (an absolute path, because
// tests run in the folder of their package), or to the folder of go test
// -artifacts.
package uitest
