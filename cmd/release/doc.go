// Command release builds the files of a release: archives, packages, checksums and SBOMs.
//
//	main.go       flags, and the order of the steps
//	platform.go   the platforms, and their names in files
//	version.go    the version of a tag, as packages write it
//	build.go      the program for each platform; manual page and completion scripts
//	licenses.go   the licences of the modules in the program
//	archive.go    .tar.xz
//	packages.go   .deb and .rpm, by nFPM
//	sbom.go       CycloneDX, from the build information in the program
//	sums.go       SHA256SUMS
//	notes.go      the release notes, from CHANGELOG.md
//
// The same commit, version and Go version give the same bytes in any folder: times are those of the
// commit (or SOURCE_DATE_EPOCH), files are in a fixed order and belong to root, and the compiler gets
// no path and no setting of the machine.
//
// It is a module of its own, so that its dependencies stay out of the server's. It knows the program
// only as a command.
package main
