package nodes

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Position is a position in the WAL. The zero value is before all others.
type Position struct {
	Timeline uint32
	LSN      uint64
}

// IsZero reports whether no position is set.
func (p Position) IsZero() bool { return p == Position{} }

// reached reports whether a node at p has what was there at q.
func (p Position) reached(q Position) bool {
	return p.mayReach(q) && p.LSN >= q.LSN
}

// mayReach reports whether a node at p may have what was there at q, now or later.
func (p Position) mayReach(q Position) bool { return q.IsZero() || p.Timeline == q.Timeline }

// AppendBookmark appends the text of the position: the timeline, a slash and the LSN as
// PostgreSQL prints it.
func (p Position) AppendBookmark(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(p.Timeline), 10)
	return fmt.Appendf(dst, "/%X/%X", uint32(p.LSN>>32), uint32(p.LSN))
}

// ErrBookmark is a text that is not a bookmark.
var ErrBookmark = errors.New("not a bookmark")

// ParseBookmark reads what AppendBookmark writes.
func ParseBookmark(text string) (Position, error) {
	first, lsn, ok := strings.Cut(text, "/")
	timeline, err := strconv.ParseUint(first, 10, 32)
	if !ok || err != nil || timeline == 0 || timeline > math.MaxInt32 || first[0] == '0' || first[0] == '+' {
		return Position{}, ErrBookmark
	}
	n, err := parseLSN(lsn)
	if err != nil {
		return Position{}, ErrBookmark
	}
	return Position{Timeline: uint32(timeline), LSN: n}, nil
}

// parseLSN reads an LSN: two hexadecimal numbers of 32 bits.
func parseLSN(text string) (uint64, error) {
	high, low, ok := strings.Cut(text, "/")
	if !ok || len(high) > 8 || len(low) > 8 {
		return 0, ErrBookmark
	}
	h, err := strconv.ParseUint(high, 16, 32)
	if err != nil {
		return 0, err
	}
	l, err := strconv.ParseUint(low, 16, 32)
	return h<<32 | l, err
}
