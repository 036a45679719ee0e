package jsontext

// hexValues has the values of hexadecimal digits, and 255 for other bytes.
var hexValues = func() (t [256]byte) {
	for c := range t {
		t[c] = 255
	}
	for c := byte(0); c < 10; c++ {
		t['0'+c] = c
	}
	for c := byte(0); c < 6; c++ {
		t['a'+c], t['A'+c] = 10+c, 10+c
	}
	return t
}()

// Unhex returns the value of a hexadecimal digit, and 255 for other bytes.
func Unhex(c byte) byte { return hexValues[c] }
