package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/fastgrest/fastgrest/server/config"
)

// checkReady asks the admin server of a running process whether it is ready.
func checkReady(ctx context.Context, c *config.Config, stdout io.Writer) error {
	var dialer net.Dialer
	var address string
	transport := &http.Transport{}
	switch {
	case c.AdminServerUnixSocket != "":
		address = "http://localhost/ready"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", c.AdminServerUnixSocket)
		}
	case c.AdminServerPort != 0:
		address = readyURL(c)
	default:
		return errors.New("Admin server is not running. Please check admin-server-port config.")
	}
	shown := address
	switch {
	case c.AdminServerUnixSocket != "":
		shown = "/ready on " + c.AdminServerUnixSocket
	case reachable(c.AdminServerHost) != c.AdminServerHost:
		shown += " (the host is " + c.AdminServerHost + ")"
	}
	status, err := askReady(ctx, &http.Client{Transport: transport}, address)
	switch {
	case errors.Is(err, errBadAddress):
		return fmt.Errorf("invalid url - %s", shown)
	case err != nil:
		return fmt.Errorf("connection refused to %s: %w", shown, rootCause(err))
	case status < 200 || status > 299:
		return fmt.Errorf("%s: %d %s%s", shown, status, http.StatusText(status), reasons[status])
	}
	_, err = fmt.Fprintln(stdout, "OK: "+shown)
	return err
}

func readyURL(c *config.Config) string { return adminURL(c) + "/ready" }

func adminURL(c *config.Config) string {
	return "http://" + net.JoinHostPort(reachable(c.AdminServerHost), strconv.Itoa(c.AdminServerPort))
}

// reasons explain the statuses of a server that is not ready.
var reasons = map[int]string{
	http.StatusServiceUnavailable:  ": it is not connected to the database, or the schema cache is not loaded",
	http.StatusInternalServerError: ": the API does not listen",
	http.StatusNotFound:            ": there is another server on this port",
}

// reachable returns an address to connect to, for a server that listens on host. It is the
// loopback address if host stands for all addresses.
func reachable(host string) string {
	switch host {
	case "*", "*4", "!4", "0.0.0.0":
		return "127.0.0.1"
	case "*6", "!6", "::":
		return "::1"
	}
	return host
}

// rootCause removes the address from an error, because the message has it already.
func rootCause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

var errBadAddress = errors.New("bad address")

const readyTime = 30 * time.Second

func askReady(ctx context.Context, client *http.Client, address string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errBadAddress, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	response.Body.Close()
	return response.StatusCode, nil
}
