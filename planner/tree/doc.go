// Package tree holds the resolved form of a request, in which every name has
// been looked up in the catalog.
//
// The planner builds a tree and sqlgen prints it as SQL. A tree is plain data.
// It is built once per plan and does not change afterwards. It owns its
// strings, which outlive the request. Operands are not in the tree, only their
// slots (see parser.Query.Values).
package tree
