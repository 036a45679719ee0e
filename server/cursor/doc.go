// Package cursor makes and reads the tokens of pages: the parameter after= of a read
// with Prefer: page=cursor.
//
// A token has the values by which the last row of a page is sorted. A client can read
// them, and it could read them anyway: they are columns that it may sort by. It cannot
// make a token of its own, because the token is signed. The server keeps no state: every
// server with the same secret reads the token.
//
// The layout of a token is, before base64url:
//
//	version (1 byte), fingerprint of the order (8 bytes), number of values (uvarint),
//	for each value: length * 4 + kind (uvarint), bytes
//	the first 16 bytes of the HMAC-SHA256 of all that
package cursor
