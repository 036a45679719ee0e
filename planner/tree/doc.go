// Package tree holds the resolved form of a request: what remains after every
// name of a parsed request has been looked up in the catalog.
//
// The planner builds a tree, sqlgen prints it as SQL. It is plain data,
// built once per plan and never changed afterwards. Strings are owned (they
// outlive the request they were planned for); operands are not in the tree,
// only their slots (see parser.Query.Values).
package tree
