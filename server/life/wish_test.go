package life

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSuspicion: many reasons for a reload make one wish, after a delay.
func TestSuspicion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New()
		for range 2 {
			for range 100 {
				l.Suspicion.Raise()
			}
			time.Sleep(suspicionDelay - 1)
			synctest.Wait()
			if l.Waiting() != 0 || !l.Suspicion.Pending() {
				t.Error("a reload was asked for without a delay")
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if got := l.Take(); got != ReloadCatalog || l.Suspicion.Pending() {
				t.Errorf("asked for: %d, still pending: %t", got, l.Suspicion.Pending())
			}
			time.Sleep(10 * suspicionDelay)
			synctest.Wait()
			if l.Waiting() != 0 {
				t.Error("one more reload was asked for")
			}
		}
	})
}

// TestSignals: what each signal asks for. SIGHUP asks for both at once.
func TestSignals(t *testing.T) {
	w := newWishes()
	defer w.Signals(t.Context())()
	for sig, want := range map[syscall.Signal]Wish{syscall.SIGUSR1: ReloadCatalog, syscall.SIGUSR2: ReloadConfig, syscall.SIGHUP: ReloadConfig | ReloadCatalog} {
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		select {
		case <-w.wake:
		case <-time.After(time.Minute):
			t.Fatalf("%v was not heard", sig)
		}
		if got := w.Take(); got != want {
			t.Errorf("%v asks for %d, want %d", sig, got, want)
		}
	}
}
