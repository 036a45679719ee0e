package delay

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Bounds of one direction of one connection: 16 MiB under way with half a round trip of 10 ms are 1.6 GB/s.
const (
	parcelSize = 64 << 10
	parcels    = 256
)

// Serve forwards connections of listener to the other side, with a round trip that is longer by roundTrip. It ends
// when ctx does, and closes all connections.
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
		cancel() // no byte moves without the timer
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
			// If the other side is unreachable, the client's connection is closed, as if the server had closed it.
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

// direction is one of the two directions of a connection.
type direction struct {
	from, to net.Conn
	arrived  chan []byte   // has room for all bytes that may be under way, so the timer never waits
	room     chan struct{} // full when the maximum is under way
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

// finish tells the receiver that no more bytes come. Its own bytes still pass.
func (d *direction) finish() {
	if half, ok := d.to.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	d.to.Close()
}

// drain drops the bytes for a receiver that has closed, until the sender closes.
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

// ServeUnix is Serve between two unix sockets.
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
