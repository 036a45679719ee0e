// Package config turns a file, the environment, command-line flags and
// settings kept in the database into one immutable Config.
//
//	file --+
//	env  --+--> Load --> *Config --> AppendDump (the text --dump-config prints)
//	flags--+                    \--> ConnString (what pgwire connects with)
//	db   --+
//
// One table (settings.go) has, for every key, its names, its sources and how its
// value is parsed and printed. Loading, dumping, the flags, the help and the
// documentation (Descriptions) are loops over that table.
//
// Precedence, strongest first: database, flags, environment, file, default.
// As in PostgREST, a value that does not parse as the number or boolean its key
// needs counts as absent, and the default is used. Invalid enumerations, lists,
// paths and addresses are errors. Config.Warnings lists ignored values and unknown
// keys and variables. In flags each of these is an error.
//
// A Config owns its memory and never changes after Load returns it. A reload
// calls Load again.
//
// All errors are *Error. Kind is the step that failed. The text is complete and
// never contains values of secret keys.
package config
