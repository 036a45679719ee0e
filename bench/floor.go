package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/bench/load"
)

// Formats of result columns in the wire protocol.
const (
	textFormat   int16 = 0
	binaryFormat int16 = 1
)

// runFloor repeats a flight on several connections, each in a closed loop. It sends all statements and one Sync in
// one write, and drops everything that it reads up to ReadyForQuery.
func runFloor(ctx context.Context, uri string, flight []statement, format int16, x *mix, connections int, duration time.Duration) (load.Result, error) {
	var (
		group   sync.WaitGroup
		clients = make([]*wireClient, 0, connections)
		failed  = make(chan error, connections)
	)
	defer func() {
		for _, c := range clients {
			c.conn.Conn.Close()
		}
	}()
	for i := range connections {
		c, err := dialWire(ctx, uri, flight, format, x.mark(), uint64(i))
		if err != nil {
			return load.Result{}, err
		}
		clients = append(clients, c)
	}
	start := time.Now()
	for _, c := range clients {
		group.Go(func() {
			if err := c.loop(x, start.Add(duration)); err != nil {
				failed <- err
			}
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	select {
	case err := <-failed:
		return load.Result{}, err
	default:
	}
	var (
		all   []time.Duration
		bytes int64
	)
	for _, c := range clients {
		all = append(all, c.latencies...)
		bytes += c.bytes
	}
	r := load.Summarize(all, elapsed)
	r.Bytes = bytes
	return r, nil
}

// wireClient is one connection with the flight's statements prepared.
type wireClient struct {
	conn      *pgconn.HijackedConn
	flight    []statement
	format    []int16
	random    *rand.Rand
	bind      pgproto3.Bind
	args      [][][]byte // by statement
	latencies []time.Duration
	bytes     int64
	keep      bool
	kept      [][]byte // by statement, the first value of its last row
}

func dialWire(ctx context.Context, uri string, flight []statement, format int16, first int, seed uint64) (*wireClient, error) {
	conn, err := pgconn.Connect(ctx, uri)
	if err != nil {
		return nil, err
	}
	if err := conn.SyncConn(ctx); err != nil {
		return nil, err
	}
	hijacked, err := conn.Hijack()
	if err != nil {
		return nil, err
	}
	c := &wireClient{conn: hijacked, flight: flight, format: []int16{format}, random: rand.New(rand.NewPCG(seed, 2)),
		latencies: make([]time.Duration, 0, 1<<14)}
	for _, s := range flight {
		args := make([][]byte, len(s.args))
		for i, a := range s.args {
			if a.parts != nil {
				args[i] = a.append([]byte{}, first)
			}
		}
		c.args = append(c.args, args)
	}
	// Prepare inside a run of the transaction: to parse the statements needs the privileges of the role that it
	// switches to.
	c.queue(true)
	if err := c.finish(); err != nil {
		hijacked.Conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *wireClient) loop(x *mix, deadline time.Time) error {
	for now := time.Now(); now.Before(deadline); {
		if err := c.once(x.low + c.random.IntN(x.high-x.low+1)); err != nil {
			return err
		}
		end := time.Now()
		c.latencies = append(c.latencies, end.Sub(now))
		now = end
	}
	return nil
}

func (c *wireClient) once(n int) error {
	for i := range c.flight {
		for j, a := range c.flight[i].args {
			if a.varies() {
				c.args[i][j] = a.append(c.args[i][j][:0], n)
			}
		}
	}
	c.queue(false)
	return c.finish()
}

func (c *wireClient) queue(parse bool) {
	for i := range c.flight {
		if parse {
			c.conn.Frontend.SendParse(&pgproto3.Parse{Name: statementNames[i], Query: c.flight[i].sql})
		}
		c.bind = pgproto3.Bind{PreparedStatement: statementNames[i], Parameters: c.args[i], ResultFormatCodes: c.format}
		c.conn.Frontend.SendBind(&c.bind)
		c.conn.Frontend.SendExecute(&pgproto3.Execute{})
	}
	c.conn.Frontend.SendSync(&pgproto3.Sync{})
}

var statementNames = []string{"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"}

// finish sends the queued messages and reads up to ReadyForQuery.
func (c *wireClient) finish() error {
	if err := c.conn.Frontend.Flush(); err != nil {
		return err
	}
	var (
		refused error
		done    int // statements
	)
	if c.keep {
		c.kept = make([][]byte, len(c.flight))
	}
	for {
		message, err := c.conn.Frontend.Receive()
		if err != nil {
			return err
		}
		switch message := message.(type) {
		case *pgproto3.DataRow:
			for _, v := range message.Values {
				c.bytes += int64(len(v))
			}
			if c.keep && len(message.Values) > 0 {
				c.kept[done] = bytes.Clone(message.Values[0])
			}
		case *pgproto3.CommandComplete:
			done++
		case *pgproto3.ErrorResponse:
			refused = fmt.Errorf("PostgreSQL: %s (%s)", message.Message, message.Code)
		case *pgproto3.ReadyForQuery:
			return refused
		}
	}
}
