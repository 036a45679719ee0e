package simtest

import (
	"encoding/json"
	"errors"
	"math"

	"github.com/anishathalye/porcupine"

	"github.com/fastgrest/fastgrest/server/exec"
)

// access is a read or a write of a register.
type access struct {
	id    int64
	write bool
	value string
}

// registers is the model: each key has the value that was written last.
var registers = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		by := map[int64][]porcupine.Operation{}
		var order []int64
		for _, o := range history {
			id := o.Input.(access).id
			if by[id] == nil {
				order = append(order, id)
			}
			by[id] = append(by[id], o)
		}
		var parts [][]porcupine.Operation
		for _, id := range order {
			parts = append(parts, by[id])
		}
		return parts
	},
	Init: func() any { return "v0" },
	Step: func(state, input, output any) (bool, any) {
		if in := input.(access); in.write {
			return true, in.value
		}
		return output == state, state
	},
}

// checkRegisters checks that what clients have seen of each register is the history of one
// register. A failover to a node that is behind loses writes, whatever the server does.
func (w *world) checkRegisters() {
	if w.failedOver {
		return
	}
	var history []porcupine.Operation
	for i, d := range w.history {
		history = append(history, batchWrites(i, d)...)
		o := porcupine.Operation{ClientId: i, Call: d.began.UnixNano(), Return: d.ended.UnixNano()}
		switch {
		case d.op == readReg && d.err == nil:
			var rows []struct{ Val string }
			if json.Unmarshal([]byte(d.body), &rows) != nil || len(rows) != 1 {
				w.violate("%s %d has the result %s", d.op, d.id, d.body)
				return
			}
			o.Input, o.Output = access{id: d.id}, rows[0].Val
		default:
			var ok bool
			if o, ok = registerWrite(i, &d); !ok {
				continue
			}
		}
		history = append(history, o)
	}
	if !porcupine.CheckOperations(registers, history) {
		w.violate("the registers are not linearizable")
	}
}

// registerWrite is the operation of a write, unless it has certainly not happened.
func registerWrite(client int, d *done) (o porcupine.Operation, ok bool) {
	if d.op != update && d.op != updateReturning && d.op != updateOne || d.rolls {
		return o, false
	}
	o = porcupine.Operation{ClientId: client, Call: d.began.UnixNano(), Return: d.ended.UnixNano(), Input: access{id: d.id, write: true, value: d.value}}
	if d.err != nil {
		o.Return = math.MaxInt64
	}
	return o, d.err == nil || errors.As(d.err, new(*exec.DoubtError))
}

// batchWrites are the operations of a batch. Only the last value of a key can be seen.
func batchWrites(client int, d done) (all []porcupine.Operation) {
	last := map[int64]int{}
	for _, r := range d.parts {
		part := d
		part.request, part.rolls = r, d.rolls
		o, ok := registerWrite(client, &part)
		if !ok {
			continue
		}
		if i, twice := last[r.id]; twice {
			all[i] = o
			continue
		}
		last[r.id] = len(all)
		all = append(all, o)
	}
	return all
}
