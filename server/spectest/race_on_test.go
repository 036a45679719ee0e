//go:build race

package spectest

// raceFlag makes the program under test watch for races when the tests do.
const raceFlag = "-race"
