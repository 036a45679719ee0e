package catalog

// slab allocates values in large chunks: fewer allocations, no rounding loss and
// less work for the garbage collector. A value lives until its whole chunk is
// unreachable, which is no loss here, as a catalog is freed as a whole.
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

// some returns n values with no spare capacity, so that an append copies them.
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
