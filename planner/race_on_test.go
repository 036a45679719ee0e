//go:build race

package planner

// slack is how much longer things may take than they should: the race
// detector costs a multiple.
const slack = 20
