//go:build race

package spectest

// raceFlag builds the program under test with the race detector if the tests
// have it.
const raceFlag = "-race"
