//go:build !race

package pgwire_test

const raceBuild = false
