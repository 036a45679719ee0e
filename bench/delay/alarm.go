package delay

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm sleeps for less than a millisecond. time.Sleep cannot do that in an idle program, because the runtime
// waits for events with a timeout in whole milliseconds. A timer of the kernel (timerfd) is an event and has no
// such limit.
type alarm struct {
	fd   int
	file *os.File
	buf  [8]byte
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	return &alarm{fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}, nil
}

// sleep must not be called concurrently.
func (a *alarm) sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := unix.TimerfdSettime(a.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil); err != nil {
		return os.NewSyscallError("timerfd_settime", err)
	}
	_, err := a.file.Read(a.buf[:])
	return err
}

func (a *alarm) close() error { return a.file.Close() }
