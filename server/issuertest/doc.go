// Package issuertest tests the server with providers of tokens, which are processes of
// their own and speak TLS. It consists of tests.
//
//	provider_test.go   the provider, and how tests talk to it
//	rotation_test.go   keys that change under load
//	trouble_test.go    providers that are down, slow, or send what they should not
//	shapes_test.go     the documents of well-known providers
//
// -rotations 30 -rotation-every 2s makes the test of changing keys as long as a minute, and
// -unknown 10000 sends so many tokens with unknown keys. With -v the tests log figures.
package issuertest
