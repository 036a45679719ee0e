// Package pgcluster turns a folder into a running private PostgreSQL and back
// into nothing. The demo, the benchmarks and the tests stand on it, so none of
// them asks a person to set a database up first.
//
//	Find      where are the server programs on this machine
//	Start     initdb, configuration, postgres, wait until it answers
//	Cluster   its address, SQL for setting it up, Stop
//
// What a caller can rely on:
//
//   - The folder is ours: it is marked, locked against a second user, made new
//     unless the caller asked to keep it, and removed by Stop. A folder with
//     other people's files in it is refused, never emptied.
//   - PostgreSQL does not run as root. A caller who is root has the programs
//     run as the user postgres, or nobody, who then owns the folder.
//   - Nothing is left running. Stop ends the server; on Linux it also ends when
//     our process dies without calling Stop; whatever else a crash leaves is
//     cleaned up by the next Start in the same folder.
//   - Durability is off (fsync and friends). The data is never worth a disk
//     flush here.
//
// Errors are of type *Error: what was being done, the last words of the
// program that failed, and a hint where there is something to do about it.
package pgcluster
