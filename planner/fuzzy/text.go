package fuzzy

import (
	"strings"
	"unicode"
)

// toLower is Unicode's full mapping to lower case. strings.ToLower maps each
// character to one character. The two differ in one letter that needs no
// context: the capital I with a dot.
func toLower(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, "İ", "i\u0307"))
}

// gram is two or three characters of 21 bits each. A gram of two has the value 1
// in place of its first character. A gram of three cannot begin with 1, because
// control characters are left out.
type gram uint64

// countGrams counts the overlapping grams of a text.
func countGrams(lower []rune, size int) map[gram]int32 {
	counts := make(map[gram]int32, len(lower))
	padded := make([]rune, 1, len(lower)+2)
	padded[0] = '-'
	for _, r := range lower {
		if isWord(r) {
			padded = append(padded, r)
		}
	}
	padded = append(padded, '-')
	for i := 0; i+size <= len(padded); i++ {
		first := rune(1)
		if size == 3 {
			first = padded[i]
		}
		counts[gram(first)<<42|gram(padded[i+size-2])<<21|gram(padded[i+size-1])]++
	}
	return counts
}

func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || r == ',' ||
		'\t' <= r && r <= '\r' || unicode.Is(unicode.Zs, r)
}

// likeness is 1 minus the edit distance divided by the length of the longer text.
func likeness(a, b []rune) float64 {
	longer := max(len(a), len(b))
	if longer == 0 {
		return 1
	}
	return float64(longer-Distance(a, b)) / float64(longer)
}

// Distance is the Levenshtein distance: the number of insertions, deletions and
// replacements that turn one text into the other. It keeps one row of the table.
func Distance(a, b []rune) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
