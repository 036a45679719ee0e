package server

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// schedBatch is SCHED_BATCH (sched(7)): a thread that wakes up does not
// interrupt another that runs. Where a processor is idle it runs at once, as
// ever; where none is, it waits for one of those short turns to end, and then
// finds more to do at once.
const schedBatch = 3

// scheduleAsBatch has all threads scheduled so. Threads to come take it over
// from those that start them, so that it is done when a look finds none that
// is otherwise. It needs no privilege.
func scheduleAsBatch() {
	for range 10 {
		changed := false
		for _, thread := range threads() {
			attr, err := unix.SchedGetAttr(thread, 0)
			if err != nil || attr.Policy != 0 { // gone, or somebody's choice
				continue
			}
			attr.Policy = schedBatch
			attr.Flags = 0
			if unix.SchedSetAttr(thread, attr, 0) != nil {
				return
			}
			changed = true
		}
		if !changed {
			return
		}
	}
}

// threads are the process's own.
func threads() (list []int) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if thread, err := strconv.Atoi(e.Name()); err == nil {
			list = append(list, thread)
		}
	}
	return list
}
