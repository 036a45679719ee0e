package catalog

// slab hands out values from large pieces: one allocation for many, nothing
// lost to rounding, and less for the garbage collector to look at. What a slab
// gave away lives until all of its piece is unreachable; a catalog dies as a
// whole.
type slab[T any] struct{ free []T }

const slabSize = 256

func (s *slab[T]) one() *T {
	if len(s.free) == 0 {
		s.free = make([]T, slabSize)
	}
	v := &s.free[0]
	s.free = s.free[1:]
	return v
}

// some returns n values that an append cannot grow into the next ones.
func (s *slab[T]) some(n int) []T {
	if n > slabSize/4 {
		return make([]T, n)
	}
	if len(s.free) < n {
		s.free = make([]T, slabSize)
	}
	list := s.free[:n:n]
	s.free = s.free[n:]
	return list
}
