package config

import _ "embed" // the example

// Example is a configuration file with every key, its default and a comment.
//
//go:embed example.conf
var Example string
