package config

import _ "embed" // the example

// Example is a file with every key at its default and a word on each.
//
//go:embed example.conf
var Example string
