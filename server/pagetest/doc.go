// Package pagetest tests pages with cursors (Prefer: page=cursor) from outside. It
// consists of tests.
package pagetest
