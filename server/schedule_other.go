//go:build !linux

package server

// scheduleAsBatch does nothing: only Linux has SCHED_BATCH.
func scheduleAsBatch() {}
