package compare

import (
	"bufio"
	"errors"
	"hash/maphash"
	"io"
	"net/http"
	"os"
	"sync"
)

const (
	// maxLine is the length in bytes of a line that is read. Longer lines are skipped.
	maxLine = 1 << 20
	// maxSeen is the number of requests that are kept to find repetitions. When there are more, all
	// are forgotten, so a later repetition is sent.
	maxSeen = 2 << 20
)

// input reads requests from files.
type input struct {
	files  []string // "-" is stdin
	stdin  io.Reader
	writes bool // also requests that may write
	repeat bool // also requests that were there before
	limit  int  // number of requests, 0 for all

	mu      sync.Mutex
	skipped skipped
}

// skipped counts lines of the input that were not sent.
type skipped struct {
	Lines    int `json:"lines"`    // that are not requests
	Writes   int `json:"writes"`   // without --writes
	Bodiless int `json:"bodiless"` // writes of an access log, which has no bodies
	Methods  int `json:"methods"`  // of other methods
	Repeated int `json:"repeated"`
}

var errLimit = errors.New("limit reached")

// read passes each request to each until the input ends or each returns an error.
func (in *input) read(each func(*request) error) error {
	p := picker{input: in, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed(), each: each}
	for _, name := range in.files {
		if err := p.file(name); errors.Is(err, errLimit) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// skip counts a line in one of the fields of in.skipped.
func (in *input) skip(count *int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	*count++
}

// counts returns what was skipped up to now.
func (in *input) counts() skipped {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.skipped
}

type picker struct {
	*input
	seen  map[uint64]struct{}
	seed  maphash.Seed
	taken int
	each  func(*request) error
}

func (p *picker) file(name string) error {
	from := p.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fail("%v", err)
		}
		defer f.Close()
		from = f
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			from = io.LimitReader(f, info.Size()) // without the lines that this replay adds to the log
		}
	}
	lines := bufio.NewReaderSize(from, 64<<10)
	for {
		line, long, err := readLine(lines)
		if long {
			p.skip(&p.skipped.Lines)
		} else if len(line) > 0 {
			if err := p.line(line); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fail("cannot read %s: %v", name, err)
		}
	}
}

// readLine returns a line without its end, or long if it has more than maxLine bytes.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			long, line = true, nil
		}
		if !long {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
				line = line[:len(line)-1]
			}
			return line, long, err
		}
	}
}

func (p *picker) line(line []byte) error {
	r := parseLine(line)
	if reason := p.unfit(r); reason != nil {
		p.skip(reason)
		return nil
	}
	if !p.repeat {
		key := r.key(p.seed)
		if _, found := p.seen[key]; found {
			p.skip(&p.skipped.Repeated)
			return nil
		}
		if len(p.seen) == maxSeen {
			clear(p.seen)
		}
		p.seen[key] = struct{}{}
	}
	if err := p.each(r); err != nil {
		return err
	}
	if p.taken++; p.taken == p.limit {
		return errLimit
	}
	return nil
}

// unfit returns the count of the reason for which a request is not sent, or nil.
func (p *picker) unfit(r *request) *int {
	switch {
	case r == nil:
		return &p.skipped.Lines
	case !r.reads() && !r.writes():
		return &p.skipped.Methods
	case r.writes() && !p.writes:
		return &p.skipped.Writes
	case r.writes() && r.Logged && r.Method != http.MethodDelete:
		return &p.skipped.Bodiless
	}
	return nil
}
