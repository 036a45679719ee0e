package clients

import (
	"bufio"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// This file is the contract with fasthttp: everything that this package and the
// server rely on and that fasthttp does not document. The places are those of
// fasthttp v1.74.0. TestFasthttpContract checks each fact against the version in
// go.mod. Update both together.
//
//  1. One bufio.Reader of ReadBufferSize bytes reads a connection: heads, bodies
//     of known length and chunks. It stays the same between the requests of a
//     connection if StreamRequestBody is set, and it takes a head out only when
//     the head is complete.
//     (server.go: acquireReader, serveConnCounted; header.go: RequestHeader.tryRead)
//     For requestLine, which finds the request line in the buffer of that reader.
//
//  2. The stream of a body is a struct with a field "reader", which is that
//     bufio.Reader. Of a body in chunks fasthttp has read nothing when the handler
//     is called. (streaming.go: requestStream; http.go: readBodyWithStreaming)
//     For chunks, which decodes such bodies itself, and for requestLine.
//
//  3. What the handler leaves of a streamed body is not skipped: the next request
//     is read from there. (server.go: serveConnCounted, releaseRequestStream)
//     For Body.Skip, which must skip it, and for requestLine.
//
//  4. When a response is complete it is flushed, unless the reader has bytes of
//     a further request. (server.go: serveConnCounted, "Only flush the writer")
//     For conn.midResponse: no probe may be sent within a response.
//
//  5. The writer has a buffer of 4096 bytes. A response of which the body alone
//     is as long is sent in at least two writes, and there is no read between
//     these. (server.go: defaultWriteBufferSize, acquireWriter; http.go: Response.Write)
//     For coalesce.
//
//  6. ConnState is told StateIdle after a response has been flushed and before
//     the next read, and StateActive after the first byte of the next request and
//     before the deadline for that request is set. Of the first request it is told
//     before the first read. All by the goroutine that reads.
//     (server.go: serveConnCounted)
//     For the idle list: a deadline in the past wakes an idle connection, and
//     one that has just become active gets another deadline before it reads again.
//
//  7. A read of an idle connection that returns io.EOF ends the connection: nothing
//     is written, nothing is logged, buffers and goroutine are given back, and Close
//     is called. (server.go: serveConnCounted; workerpool.go: workerFunc)
//     For the idle list: this is how it takes a connection from fasthttp.
//
//  8. ResponseHeader.All yields the keys of custom headers as they are stored,
//     without a copy. (header.go: ResponseHeader.All)
//     For AddContentType.
//
//  9. SetContentLength does nothing if the status is 204, 304 or below 200, but a
//     length that is set before the status is sent.
//     (header.go: SetContentLength, mustSkipContentLength, AppendBytes)
//     For FixLength.

//  10. Of a body stream of unknown length that has SupportsBodyWriteTo, every write of
//     its WriteTo becomes a chunk, which is flushed. The last chunk follows when WriteTo
//     has returned without an error. After an error the connection is closed. Then the
//     stream is closed, before the request and the response are reset.
//     (http.go: writeBodyStream, writeBodyChunked, chunkedBodyWriter, writeChunk)
//     For ChunkWriter, which sends all chunks but the first past the writer.

// chunkedLength is fasthttp's ContentLength of a body in chunks.
const chunkedLength = -1

// readerOf returns what a body's stream reads from (fact 2).
func readerOf(stream io.Reader) *bufio.Reader {
	return (*bufio.Reader)(reflect.ValueOf(stream).Elem().Field(streamReader).UnsafePointer())
}

// streamReader is the index of the field "reader". A fasthttp without it ends
// every test and every start of the program here.
var streamReader = func() int {
	var r fasthttp.Request
	r.Header.SetMethod(fasthttp.MethodPost)
	r.Header.SetContentLength(chunkedLength)
	if err := r.ContinueReadBodyStream(bufio.NewReader(strings.NewReader("")), 0, false); err != nil {
		panic(err)
	}
	f, ok := reflect.TypeOf(r.BodyStream()).Elem().FieldByName("reader")
	if !ok || f.Type != reflect.TypeFor[*bufio.Reader]() {
		panic("fasthttp's stream of a body has no reader: see fact 2 of server/clients/fasthttp.go")
	}
	return f.Index[0]
}()

// emptied reports whether a read into p says that a bufio.Reader with a buffer of
// size bytes has nothing buffered: then it reads into the whole of its buffer, or
// past it (fact 1).
func emptied(p []byte, size int) bool { return len(p) == size }

// coalesceFrom is the length of a body from which on fasthttp sends a response in
// several writes (fact 5): its buffer full, then the rest. A shorter body may be
// sent in one.
const coalesceFrom = 4 << 10

// idleWorker is how long fasthttp keeps goroutines that have no connection.
const idleWorker = time.Second

// AddContentType adds a second Content-Type to a response, which an error raised
// with one has in PostgREST. fasthttp keeps one value under that name. So the
// header is added under another name, which is then changed in place (fact 8).
// name is Content-Type, in any case. Normalizing of names must be off.
func AddContentType(h *fasthttp.ResponseHeader, name, value string) {
	last := len(name) - 1
	h.Add(name[:last]+"_", value)
	for key := range h.All() {
		if len(key) == len(name) && key[last] == '_' && string(key[:last]) == name[:last] {
			key[last] = name[last]
		}
	}
}

// setLengthDespiteStatus sets the length of a response whose status has no body
// (fact 9).
func setLengthDespiteStatus(resp *fasthttp.Response, n int) {
	status := resp.StatusCode()
	resp.SetStatusCode(fasthttp.StatusOK)
	resp.Header.SetContentLength(n)
	resp.SetStatusCode(status)
}
