package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// maxIdle bounds the connections of Hold. Both ends are on one machine, and few systems permit more descriptors.
const maxIdle = 20_000

// Held is a set of idle connections.
type Held struct{ clients []*client }

// Hold opens keep-alive connections, sends one request on each, and leaves them
// open.
func Hold(ctx context.Context, t Target, connections int) (*Held, error) {
	if err := t.check(1, time.Second); err != nil {
		return nil, err
	}
	if connections < 1 || connections > maxIdle {
		return nil, fmt.Errorf("load: %d idle connections, want 1 to %d", connections, maxIdle)
	}
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		h     = &Held{}
		errs  []error
		next  = make(chan uint64)
	)
	for range 32 {
		group.Go(func() {
			for seed := range next {
				c, err := holdOne(ctx, &t, seed)
				mu.Lock()
				if err != nil {
					errs = append(errs, err)
					cancel()
				} else {
					h.clients = append(h.clients, c)
				}
				mu.Unlock()
			}
		})
	}
	for i := 0; i < connections && ctx.Err() == nil; i++ {
		next <- uint64(i)
	}
	close(next)
	group.Wait()
	if len(h.clients) < connections {
		h.Close()
		return nil, fmt.Errorf("load: %d idle connections of %d: %w", len(h.clients), connections, errors.Join(append(errs, ctx.Err())[0]))
	}
	return h, nil
}

func holdOne(ctx context.Context, t *Target, seed uint64) (*client, error) {
	c, err := dial(ctx, t, seed)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := c.once(c.draw()); err != nil {
		c.conn.Close()
		return nil, err
	}
	c.answer.buf, c.request, c.latencies = nil, nil, nil // frees memory, because there are many connections
	return c, nil
}

// Open returns the number of connections that the server has not closed.
func (h *Held) Open() int {
	open := 0
	for _, c := range h.clients {
		raw, err := c.conn.(syscall.Conn).SyscallConn()
		if err != nil {
			continue
		}
		var peeked error
		err = raw.Read(func(fd uintptr) bool {
			_, _, peeked = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			return true
		})
		if err == nil && errors.Is(peeked, syscall.EAGAIN) {
			open++
		}
	}
	return open
}

// Close closes the connections.
func (h *Held) Close() { closeAll(h.clients) }
