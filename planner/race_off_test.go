//go:build !race

package planner

// slack is how much longer things may take than they should.
const slack = 1
