// Package pagetest is tests of pages with cursors (Prefer: page=cursor), from outside.
package pagetest
