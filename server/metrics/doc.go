// Package metrics turns the figures of a running process into Prometheus text,
// under PostgREST's names where PostgREST has the figure (pgrst_...), under
// our own (fastgrest_...) where it has not, beside the Go runtime's and the
// process's (go_..., process_...).
//
// Figures that somebody keeps anyway (pool, token cache) are asked for when
// somebody scrapes, through the functions in Sources; requests and schema cache
// loads are told as they happen. Telling is a few atomic additions, to one of
// several copies of each figure, which are added up by whoever asks.
//
// Labels are few: methods, classes of status, and routes, which are the names
// of what the database has, up to maxRoutes. What leads nowhere is "unknown".
//
// Each Metrics has a registry of its own: several may live in one process, and
// nothing registers itself.
package metrics
