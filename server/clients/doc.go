// Package clients handles the connections of HTTP clients: from the listening
// socket to the bytes of a request, and back to the socket. It knows HTTP/1,
// sockets and fasthttp. It knows nothing of what requests mean.
//
//	listen*.go       listening sockets, and accept errors that pass
//	server.go        the fasthttp server over one listener
//	shutdown.go      graceful shutdown; listener.go stops accepting, dropsyn*.go on shared ports
//	conn.go          one connection
//	watch*.go        notices that the client of a running request is gone
//	idle.go          idle connections, kept without a goroutine; epoll*.go
//	coalesce.go      one write instead of two for long responses
//	head.go          checks of request headers that fasthttp leaves out
//	requestline.go   the same for the request line
//	body.go          request bodies, and the memory they take; chunks.go
//	bodypart.go      request bodies that are read in parts
//	response.go      framing of responses without a body
//	stream.go        response bodies that are sent while they are produced
//	fasthttp.go      what all this relies on inside fasthttp
//
// # Use
//
// A Server accepts and serves. Its handler calls ReadHead first and Finish last.
// In between, a Body reads the request's body, and Watch and Unwatch enclose the
// time in which the request waits for something else than its client.
//
// # Memory
//
// Head borrows from fasthttp's buffers and is valid until the handler returns.
// Body.Read returns bytes that are valid until Body.Release, Body.Part those that are
// valid until the next part. A request whose body fits into pooled buffers allocates
// nothing here.
//
// # Errors
//
// Body reports a *BodyError, which the server turns into a response. Requests that
// are not HTTP are refused here, with the texts of PostgREST's HTTP server.
package clients
