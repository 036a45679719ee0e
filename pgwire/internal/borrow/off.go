//go:build !race

package borrow

// Enabled says that Poison does something.
const Enabled = false

// Poison overwrites values whose borrower has returned, in race builds.
func Poison(...[]byte) {}
