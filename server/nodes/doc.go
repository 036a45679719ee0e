// Package nodes knows the databases that serve requests: the primary, which is the
// database of db-uri, and its read replicas.
//
//	Nodes.Run     asks each node for its state, every second, on a connection of its own
//	Nodes.Pick    chooses the node of a read
//	Node          a node: its pool, what it has served, whether it may serve reads
//	Position      a position in the WAL: a timeline and an LSN
//	Bookmark      the text of a position that clients send back
//
// A replica serves a read if all of these hold:
//
//   - It answers, and it is in recovery. A replica that was promoted serves no reads.
//   - It belongs to the database cluster of the primary: the same system identifier,
//     the same database, the same major version.
//   - It is on the timeline of the primary. After a failover the same LSN stands for
//     different contents on different timelines.
//   - It has replayed the position at which the catalog was read. A physical replica has
//     the bytes of its primary, so from there on it has every object that plans name. So
//     a position is all that has to be compared, and no catalog has to be read twice.
//   - It has replayed the position of the request's bookmark.
//   - It is behind by at most MaxLag.
//
// Of these replicas the one with the fewest requests in flight serves the read. Without
// one the primary does.
//
// The lag is how long ago the primary was where the replica is now. The primary's
// positions of the last seconds are kept, so no clock of another machine counts, and a
// primary without writes causes no lag. While the primary cannot be reached, the lag is
// the one that the replica had at that time.
//
// The package knows nothing about HTTP and plans. Requests never ask a node for its
// state: they read what was published last, which costs a few atomic loads.
package nodes
