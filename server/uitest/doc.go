// Package uitest looks at what people look at the way they do, in a browser:
// at the OpenAPI document, in Swagger UI, and at the page of the admin port. It
// has tests only, and knows the program from outside.
//
//	demo_test.go     builds the program and starts its demo
//	dist_test.go     Swagger UI itself, one pinned npm package, kept in the user's cache
//	browser_test.go  a headless Chromium, and what it complains about
//	ui_test.go       Swagger UI, and what is expected of it
//	admin_test.go    the page of the admin port, and what is expected of it
//
// Without Chromium or npm, or where the package can be had from nowhere, the
// test is skipped and says why; FASTGREST_UI_TEST=1, which `make ui` sets,
// makes that a failure.
//
// Screenshots go to the folder that FASTGREST_ARTIFACTS names (in full: tests
// run in the folder of their package), or else to where go test -artifacts
// wants them.
package uitest
