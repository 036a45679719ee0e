// Package config turns a file, the environment, command-line flags and
// settings kept in the database into one immutable Config.
//
//	file --+
//	env  --+--> Load --> *Config --> AppendDump (the text --dump-config prints)
//	flags--+                    \--> ConnString (what pgwire connects with)
//	db   --+
//
// What a key is called, where it may come from, how its text is read and how
// it is printed stands in one table (settings.go); loading, dumping, the flags,
// the example and the help are loops over that table.
//
// Precedence, strongest first: database, flags, environment, file, default.
// As in PostgREST a value that cannot be read as the number or boolean its key
// wants counts as absent, and the default is used; enumerations, lists, paths and
// addresses that make no sense are errors. Config.Warnings names such values, and
// keys and variables that do not exist. Of a flag each of these is an error.
//
// Nothing here is borrowed: a Config owns its memory and is never changed
// after Load returns it. A reload calls Load again.
//
// All errors are *Error. Its Kind says what went wrong, its text is complete
// and may be shown as it is; values of secret keys never appear in it.
package config
