package delay

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Bounds of one direction of one connection: 16 MiB under way are, with half a round trip of 10 ms, 1.6 GB/s.
const (
	parcelSize = 64 << 10
	parcels    = 256
)

// Serve passes on what comes from listener to the other side, and back, with a round trip made longer by that
// much. It ends when ctx does, and closes all connections.
func Serve(ctx context.Context, listener net.Listener, dial func(context.Context) (net.Conn, error), roundTrip time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := newLine(roundTrip / 2)
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	broken := make(chan error, 1)
	group.Go(func() {
		err := l.run(ctx)
		cancel() // without a clock nothing moves
		broken <- err
	})
	for {
		near, err := listener.Accept()
		if err != nil {
			if ctx.Err() == nil {
				return err
			}
			return <-broken
		}
		group.Go(func() {
			// Whoever cannot be connected sees a connection that ends, as with a server that goes away.
			_ = connect(ctx, l, near, dial)
		})
	}
}

func connect(ctx context.Context, l *line, near net.Conn, dial func(context.Context) (net.Conn, error)) error {
	defer near.Close()
	far, err := dial(ctx)
	if err != nil {
		return err
	}
	defer far.Close()
	stop := context.AfterFunc(ctx, func() {
		near.Close()
		far.Close()
	})
	defer stop()
	var group sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		d := &direction{from: way[0], to: way[1], arrived: make(chan []byte, parcels), room: make(chan struct{}, parcels)}
		group.Go(func() { d.read(ctx, l) })
		group.Go(func() { d.write(ctx) })
	}
	group.Wait()
	return nil
}

// direction is one of a connection's two.
type direction struct {
	from, to net.Conn
	arrived  chan []byte   // has room for all that may be under way: the clock never waits
	room     chan struct{} // full when as much is under way as may be
}

var buffers = sync.Pool{New: func() any { return new([parcelSize]byte) }}

func (d *direction) read(ctx context.Context, l *line) {
	for {
		select {
		case d.room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		buf := buffers.Get().(*[parcelSize]byte)
		n, err := d.from.Read(buf[:])
		if err != nil || n == 0 {
			l.send(d, nil)
			return
		}
		l.send(d, buf[:n])
	}
}

func (d *direction) write(ctx context.Context) {
	for {
		select {
		case bytes := <-d.arrived:
			if bytes == nil {
				d.finish()
				return
			}
			if _, err := d.to.Write(bytes); err != nil {
				d.from.Close()
				d.drain(ctx)
				return
			}
			buffers.Put((*[parcelSize]byte)(bytes[:parcelSize]))
			<-d.room
		case <-ctx.Done():
			return
		}
	}
}

// finish tells the receiver that nothing more comes; what it has to say still gets through.
func (d *direction) finish() {
	if half, ok := d.to.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	d.to.Close()
}

// drain takes what still arrives for a receiver that is gone, until the end that its sender's closing makes.
func (d *direction) drain(ctx context.Context) {
	for {
		select {
		case bytes := <-d.arrived:
			if bytes == nil {
				return
			}
			<-d.room
		case <-ctx.Done():
			return
		}
	}
}

// ServeUnix is Serve from one unix socket to another.
func ServeUnix(ctx context.Context, listen, target string, roundTrip time.Duration) error {
	listener, err := net.Listen("unix", listen)
	if err != nil {
		return err
	}
	var d net.Dialer
	err = Serve(ctx, listener, func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "unix", target) }, roundTrip)
	return errors.Join(err, ignoreClosed(listener.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
