package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticks is the number of units per second in which Linux reports CPU time, on all architectures of Go. Each process
// loses up to one tick, so the sum over hundreds of processes needs the finer figures of threadTimes.
const ticks = 100

// stat holds the required fields of /proc/PID/stat.
type stat struct {
	parent int
	own    time.Duration // CPU time of the process with all its threads, including ended ones
	dead   time.Duration // CPU time of children that have ended
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(text)
}

// parseStat reads the line. The second field, a name in parentheses, may contain any character.
func parseStat(text []byte) (stat, error) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("not a line of /proc/PID/stat: %q", text)
	}
	fields := strings.Fields(string(text[end+1:])) // the first is field 3 of proc(5)
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("short line of /proc/PID/stat: %q", text)
	}
	var errs []error
	number := func(i int) int {
		n, err := strconv.Atoi(fields[i-3])
		errs = append(errs, err)
		return n
	}
	duration := func(n int) time.Duration { return time.Duration(n) * time.Second / ticks }
	s := stat{parent: number(4), own: duration(number(14) + number(15)), dead: duration(number(16) + number(17))}
	return s, errors.Join(errs...)
}

// family returns a process and its living descendants with their CPU times.
func family(pid int) (map[int]stat, error) {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	all := make(map[int]stat, len(names))
	children := make(map[int][]int, len(names))
	for _, name := range names {
		member, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			continue
		}
		if s, err := readStat(member); err == nil { // otherwise the process has ended
			all[member] = s
			children[s.parent] = append(children[s.parent], member)
		}
	}
	if _, ok := all[pid]; !ok {
		return nil, fmt.Errorf("there is no process %d", pid)
	}
	members := make(map[int]stat)
	for queue := []int{pid}; len(queue) > 0; {
		member := queue[len(queue)-1]
		queue = append(queue[:len(queue)-1], children[member]...)
		s := all[member]
		s.own = max(s.own, threadTimes(member))
		members[member] = s
	}
	return members, nil
}

// threadTimes returns the CPU time of the living threads of a process, which Linux reports in nanoseconds, or 0 if it
// does not report them. Ended threads are missing.
func threadTimes(pid int) (total time.Duration) {
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/schedstat", pid)) // the pattern is valid
	for _, name := range names {
		text, _ := os.ReadFile(name)
		running, _, _ := strings.Cut(string(text), " ")
		n, _ := strconv.ParseInt(running, 10, 64)
		total += time.Duration(n)
	}
	return total
}

// cpu returns the CPU time that a process and all its descendants have used. When a process ends, its time moves
// from the sum of the living to its parent's sum of the dead. A reading during that move could miss or repeat it,
// so cpu reads again.
func cpu(pid int) (time.Duration, error) {
	for range 100 {
		before, err := family(pid)
		if err != nil {
			return 0, err
		}
		after, err := family(pid)
		if err != nil {
			return 0, err
		}
		same := func(a, b stat) bool { return a.parent == b.parent && a.dead == b.dead }
		if maps.EqualFunc(before, after, same) {
			total := time.Duration(0)
			for _, s := range after {
				total += s.own + s.dead
			}
			return total, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return 0, fmt.Errorf("the children of process %d keep changing", pid)
}

// busy returns the CPU time of all programs of the machine, including the time that hypervisors took.
func busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseBusy(text)
}

// parseBusy reads the first line: user, nice, system, idle, iowait, irq, softirq, steal, and two fields that are
// part of user and nice.
func parseBusy(text []byte) (time.Duration, error) {
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("not /proc/stat: %q", line)
	}
	total := 0
	for i, field := range fields[1:9] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		if i != 3 && i != 4 { // idle and iowait
			total += n
		}
	}
	return time.Duration(total) * time.Second / ticks, nil
}

// ownCPU returns the CPU time of this program and its ended children: load and pgbench.
func ownCPU() (total time.Duration, err error) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			return 0, err
		}
		total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return total, nil
}

// memory returns the memory of a process and its children. Shared pages count
// once.
func memory(pid int) (bytes int64, err error) {
	members, err := family(pid)
	if err != nil {
		return 0, err
	}
	for pid := range members {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
				kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
				bytes += kb << 10
			}
		}
	}
	return bytes, nil
}
