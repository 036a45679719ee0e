//go:build !race

package spectest

const raceFlag = ""
