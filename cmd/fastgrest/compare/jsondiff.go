package compare

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// differ finds the first difference of each kind in two JSON documents.
type differ struct {
	rowsOrdered     bool // the request asks for an order of the rows
	embeddedOrdered bool // and of embedded rows
	failed          bool // the documents are error objects

	found   []difference
	reorder bool // keys or rows are in another order, which is not a difference

	// The rows or documents that hold the present place.
	old, new any
}

// contextLength is the length of a row or document in bytes up to which it is shown as a whole.
const contextLength = 300

// add notes a difference between two values, given as texts. It is shown in its row, if that is short.
func (d *differ) add(kind, where, old, new string) {
	if slices.ContainsFunc(d.found, func(f difference) bool { return f.Kind == kind }) {
		return
	}
	show := oneLine
	if d.reorder {
		show = canonical // another order is not what is to be seen
	}
	rowOld, rowNew := show(d.old), show(d.new)
	if len(rowOld) <= contextLength && len(rowNew) <= contextLength {
		old, new = rowOld, rowNew
	}
	d.found = append(d.found, difference{Kind: kind, Where: where, Old: old, New: new})
}

func (d *differ) document(old, new any) {
	d.old, d.new = old, new
	d.value(old, new, "")
}

func (d *differ) value(old, new any, at string) {
	switch o := old.(type) {
	case object:
		if n, ok := new.(object); ok {
			d.objects(o, n, at)
			return
		}
	case array:
		if n, ok := new.(array); ok {
			d.arrays(o, n, at)
			return
		}
	case json.Number:
		if n, ok := new.(json.Number); ok {
			if kind := numbers(o, n); kind != "" {
				d.add(kind, at, string(o), string(n))
			}
			return
		}
	}
	if old == nil || new == nil || typeOf(old) == typeOf(new) {
		if canonical(old) != canonical(new) {
			d.add(d.kindOfValue(at), at, oneLine(old), oneLine(new))
		}
		return
	}
	d.add("type of a value", at, oneLine(old), oneLine(new))
}

// kindOfValue tells the parts of an error object from other values.
func (d *differ) kindOfValue(at string) string {
	switch at {
	case "/code", "/message", "/details", "/hint":
		if d.failed {
			return "error " + at[1:]
		}
	}
	return "value"
}

// numbers returns the kind of the difference between two numbers, or "".
func numbers(old, new json.Number) string {
	if old == new {
		return ""
	}
	o, err := old.Float64()
	n, err2 := new.Float64()
	if err == nil && err2 == nil && o == n && len(old) < 16 && len(new) < 16 {
		return "spelling of a number"
	}
	return "value"
}

func (d *differ) objects(old, new object, at string) {
	names := func(o object) (list []string) {
		for _, m := range o {
			list = append(list, m.key)
		}
		return list
	}
	if !slices.Equal(names(old), names(new)) {
		old, new = sortedKeys(old), sortedKeys(new)
		if !slices.Equal(names(old), names(new)) {
			d.add("names of fields", at, oneLine(old), oneLine(new))
			return
		}
		d.reorder = true
	}
	for i, m := range old {
		d.value(m.value, new[i].value, at+"/"+escapePointer(m.key))
	}
}

func (d *differ) arrays(old, new array, at string) {
	if len(old) != len(new) {
		kind := "number of elements"
		if at == "" {
			kind = "number of rows"
		}
		i := firstUnlike(old, new)
		d.add(kind, at+"/"+strconv.Itoa(i), elementText(old, i), elementText(new, i))
		return
	}
	pairs, moved := d.pairs(old, new, at)
	if moved {
		d.reorder = true
	}
	for _, p := range pairs {
		if at == "" {
			d.old, d.new = p.old, p.new
		}
		d.value(p.old, p.new, at+"/"+strconv.Itoa(p.at))
	}
}

func firstUnlike(old, new array) int {
	for i := range min(len(old), len(new)) {
		if canonical(old[i]) != canonical(new[i]) {
			return i
		}
	}
	return min(len(old), len(new))
}

func elementText(a array, i int) string {
	if i < len(a) {
		return oneLine(a[i])
	}
	return "(none)"
}

type pair struct {
	old, new any
	at       int
}

// pairs says which elements of two arrays of the same length to compare. Where the order is free,
// equal elements form pairs first, and the others follow in their order.
func (d *differ) pairs(old, new array, at string) (list []pair, moved bool) {
	free := ofObjects(old) && ofObjects(new) && !d.embeddedOrdered
	if at == "" {
		free = !d.rowsOrdered
	}
	inPlace := make([]pair, len(old))
	var apart []int              // places at which the elements differ
	places := map[string][]int{} // of the elements of new at them, by their text
	for i := range old {
		inPlace[i] = pair{old[i], new[i], i}
		if text := canonical(new[i]); text == canonical(old[i]) {
			list = append(list, inPlace[i])
		} else {
			apart = append(apart, i)
			places[text] = append(places[text], i)
		}
	}
	var rest []int
	for _, i := range apart {
		text := canonical(old[i])
		if of := places[text]; len(of) > 0 {
			places[text] = of[1:]
			list = append(list, pair{old[i], new[of[0]], i})
			moved = true
		} else {
			rest = append(rest, i)
		}
	}
	switch {
	case !moved:
		return inPlace, false
	case free:
		left := slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Values(places))...)))
		for k, i := range rest {
			list = append(list, pair{old[i], new[left[k]], i})
		}
		return list, true
	case len(rest) > 0:
		return inPlace, false
	}
	kind := "order of elements"
	if at == "" && ofObjects(old) {
		kind = "order of rows"
	}
	d.add(kind, at, oneLine(old), oneLine(new))
	return list, false
}

func escapePointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
