package rowjson

import (
	"encoding/binary"
	"math"
	"strconv"
)

const (
	microsPerSecond = 1_000_000
	secondsPerDay   = 86_400
	microsPerDay    = secondsPerDay * microsPerSecond
	// daysToMarch0000 is the number of days from 1 March of the year 0, where the calendar below
	// starts, to PostgreSQL's epoch, 1 January 2000.
	daysToMarch0000 = 730_425
	daysPerEra      = 146_097 // 400 years, after which the Gregorian calendar repeats
)

// appendDate: int32 days since 2000-01-01. The smallest and the largest value are the infinities.
func appendDate(dst, src []byte) ([]byte, bool) {
	if len(src) != 4 {
		return dst, false
	}
	days := int32(binary.BigEndian.Uint32(src))
	switch days {
	case math.MaxInt32:
		return append(dst, `"infinity"`...), true
	case math.MinInt32:
		return append(dst, `"-infinity"`...), true
	}
	dst = append(dst, '"')
	dst, bc := appendCivil(dst, int64(days))
	return endDate(dst, bc), true
}

// appendTimestamp: int64 microseconds since 2000-01-01 without zone. The smallest and the largest
// value are the infinities.
func appendTimestamp(dst, src []byte) ([]byte, bool) { return appendMoment(dst, src, "") }

// appendTimestampUTC: a timestamptz has the same format, counted in UTC.
func appendTimestampUTC(dst, src []byte) ([]byte, bool) { return appendMoment(dst, src, "+00:00") }

func appendMoment(dst, src []byte, offset string) ([]byte, bool) {
	if len(src) != 8 {
		return dst, false
	}
	micros := int64(binary.BigEndian.Uint64(src))
	switch micros {
	case math.MaxInt64:
		return append(dst, `"infinity"`...), true
	case math.MinInt64:
		return append(dst, `"-infinity"`...), true
	}
	days := micros / microsPerDay
	clock := micros % microsPerDay
	if clock < 0 {
		clock += microsPerDay
		days--
	}
	dst = append(dst, '"')
	dst, bc := appendCivil(dst, days)
	dst = append(dst, 'T')
	dst = appendClock(dst, uint64(clock))
	dst = append(dst, offset...)
	return endDate(dst, bc), true
}

// appendTime: int64 microseconds since midnight, 24:00:00 included.
func appendTime(dst, src []byte) ([]byte, bool) {
	if len(src) != 8 {
		return dst, false
	}
	micros := binary.BigEndian.Uint64(src)
	if micros > microsPerDay {
		return dst, false
	}
	dst = appendClock(append(dst, '"'), micros)
	return append(dst, '"'), true
}

// appendTimeTZ: a time, and the zone in seconds west of Greenwich. to_json prints timetz as text,
// so the zone has the style of timetz: minutes and seconds only if they are not zero.
func appendTimeTZ(dst, src []byte) ([]byte, bool) {
	if len(src) != 12 {
		return dst, false
	}
	micros := binary.BigEndian.Uint64(src)
	zone := -int64(int32(binary.BigEndian.Uint32(src[8:])))
	if micros > microsPerDay || zone >= 100*3600 || zone <= -100*3600 {
		return dst, false
	}
	dst = appendClock(append(dst, '"'), micros)
	sign := byte('+')
	if zone < 0 {
		sign, zone = '-', -zone
	}
	z := uint64(zone)
	dst = append(dst, sign)
	dst = append2(dst, z/3600)
	if z%3600 != 0 {
		dst = append2(append(dst, ':'), z/60%60)
	}
	if z%60 != 0 {
		dst = append2(append(dst, ':'), z%60)
	}
	return append(dst, '"'), true
}

// appendTimestampTZ converts the ISO text of a timestamptz to the XSD form that to_json prints: a T
// between date and time, and minutes in the offset even if they are zero.
func appendTimestampTZ(dst, src []byte) ([]byte, bool) {
	// Fast path: a year of four digits, an offset in whole hours, not BC.
	if n := len(dst); len(src) >= 22 && plainISO(src) && cap(dst)-n >= len(src)+5 {
		dst = dst[:n+len(src)+5]
		b := dst[n:]
		b[0] = '"'
		copy(b[1:], src)
		b[11] = 'T'
		copy(b[1+len(src):], `:00"`)
		return dst, true
	}
	switch string(src) {
	case "infinity", "-infinity":
		return AppendString(dst, src), true
	}
	space, offset, ok := splitISO(src)
	if !ok {
		return dst, false
	}
	dst = append(dst, '"')
	dst = append(dst, src[:space]...)
	dst = append(dst, 'T')
	dst = append(dst, src[space+1:offset+3]...)
	rest := src[offset+3:]
	if len(rest) == 0 || rest[0] != ':' {
		dst = append(dst, ":00"...)
	}
	dst = append(dst, rest...)
	return append(dst, '"'), true
}

// plainISO reports whether s, of at least 22 bytes, is yyyy-mm-dd hh:mm:ss[.f]±hh.
func plainISO(s []byte) bool {
	end := len(s) - 3
	if end > 19 && (s[19] != '.' || end == 20 || digits(s, 20) != end) {
		return false
	}
	return yearMonth.matches(s) && dayMinute.matches(s[8:]) && clockISO.matches(s[11:]) &&
		(s[end] == '+' || s[end] == '-') && s[end+1]-'0' <= 9 && s[end+2]-'0' <= 9
}

// splitISO checks that s is year-mm-dd hh:mm:ss[.f]±hh[:mm[:ss]][ BC]. PostgreSQL prints this style
// under DateStyle ISO and no other. splitISO returns the positions of the space before the time and
// of the sign of the offset.
func splitISO(s []byte) (space, offset int, ok bool) {
	year := digits(s, 0)
	space = year + 6
	if year < 4 || len(s) < space+12 {
		return 0, 0, false
	}
	tail := s[year-4:]
	if !(yearMonth.matches(tail) && dayMinute.matches(tail[8:]) && clockISO.matches(tail[11:])) {
		return 0, 0, false
	}
	i := space + 9
	if s[i] == '.' {
		frac := digits(s, i+1)
		if frac == i+1 {
			return 0, 0, false
		}
		i = frac
	}
	if i >= len(s) || s[i] != '+' && s[i] != '-' {
		return 0, 0, false
	}
	offset = i
	i++
	if !numbered(s[i:], "00") {
		return 0, 0, false
	}
	i += 2
	for range 2 {
		if numbered(s[i:], ":00") {
			i += 3
		}
	}
	return space, offset, i == len(s) || string(s[i:]) == " BC"
}

// The parts of 0000-00-00 00:00:00; the last two overlap.
var (
	yearMonth = newPattern("0000-00-")
	dayMinute = newPattern("00 00:00")
	clockISO  = newPattern("00:00:00")
)

// pattern tests eight bytes in one step. After exclusive or with the text, a digit is below 10, and
// any other byte is 0 if it equals that of the text. Adding room keeps these below 128.
type pattern struct{ text, room uint64 }

func newPattern(text string) pattern {
	p := pattern{text: binary.LittleEndian.Uint64([]byte(text))}
	for i := range text {
		room := uint64(0x7f)
		if text[i] == '0' {
			room -= 9
		}
		p.room |= room << (8 * i)
	}
	return p
}

func (p *pattern) matches(s []byte) bool {
	diff := binary.LittleEndian.Uint64(s) ^ p.text
	return (diff|(diff&^highs+p.room))&highs == 0
}

// numbered reports whether s begins with the pattern, in which a 0 stands for any digit.
func numbered(s []byte, pattern string) bool {
	if len(s) < len(pattern) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] == '0' {
			if s[i]-'0' > 9 {
				return false
			}
		} else if s[i] != pattern[i] {
			return false
		}
	}
	return true
}

// appendCivil appends year-mm-dd of the proleptic Gregorian calendar for a day counted from
// 2000-01-01. It reports whether the year is BC. Years have at least four digits. The calculation
// counts years from March, so that the leap day is the last day of a year and the month follows
// from the day of the year by one division.
func appendCivil(dst []byte, days int64) (_ []byte, bc bool) {
	days += daysToMarch0000
	era := days / daysPerEra
	day := days % daysPerEra
	if day < 0 {
		day += daysPerEra
		era--
	}
	d := uint32(day)
	y := (d - d/1460 + d/36524 - d/146096) / 365
	d -= 365*y + y/4 - y/100
	m := (5*d + 2) / 153
	d -= (153*m + 2) / 5
	year := int64(y) + era*400
	if m >= 10 {
		year++
		m -= 12
	}
	if year <= 0 {
		bc = true
		year = 1 - year
	}
	if year >= 10_000 {
		dst = strconv.AppendInt(dst, year, 10)
	} else {
		dst = append(dst, "0000"...)
		put2(dst[len(dst)-4:], uint64(year)/100)
		put2(dst[len(dst)-2:], uint64(year)%100)
	}
	// Here and below, the pattern is appended with one check of the capacity and then overwritten
	// with digits.
	dst = append(dst, "-00-00"...)
	put2(dst[len(dst)-5:], uint64(m+3))
	put2(dst[len(dst)-2:], uint64(d+1))
	return dst, bc
}

// appendClock appends hh:mm:ss and the fraction without its trailing zeros.
func appendClock(dst []byte, micros uint64) []byte {
	seconds := uint32(micros / microsPerSecond)
	frac := uint32(micros % microsPerSecond)
	dst = append(dst, "00:00:00"...)
	b := dst[len(dst)-8:]
	put2(b, uint64(seconds/3600))
	put2(b[3:], uint64(seconds/60%60))
	put2(b[6:], uint64(seconds%60))
	if frac == 0 {
		return dst
	}
	dst = append(dst, ".000000"...)
	b = dst[len(dst)-6:]
	put2(b, uint64(frac/10_000))
	put2(b[2:], uint64(frac/100%100))
	put2(b[4:], uint64(frac%100))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func endDate(dst []byte, bc bool) []byte {
	if bc {
		return append(dst, ` BC"`...)
	}
	return append(dst, '"')
}

// append2 appends two digits.
func append2(dst []byte, v uint64) []byte {
	dst = append(dst, "00"...)
	put2(dst[len(dst)-2:], v)
	return dst
}

// put2 writes v, which is below 100, as two digits.
func put2(b []byte, v uint64) { binary.LittleEndian.PutUint16(b, pairs[v]) }

// pairs has the two digits of each number below 100, the first digit in the low byte.
var pairs = func() (t [100]uint16) {
	for i := range t {
		t[i] = uint16('0'+i/10) | uint16('0'+i%10)<<8
	}
	return t
}()
