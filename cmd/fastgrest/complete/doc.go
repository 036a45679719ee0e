// Package complete prints scripts that complete the command lines of a program in a shell.
//
//	Program --> Bash, Zsh, Fish --> a script
//
// The scripts have all names and values in them, so a shell does not start the program to complete a
// line. The bash script needs bash 3.2 and no package of completions.
package complete
