package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fastgrest/fastgrest/server/config"
)

// specialHosts stand for sets of addresses, so there is no one address to ask.
var specialHosts = []string{"*", "*4", "!4", "*6", "!6"}

// checkReady asks the admin server of a running process whether it is ready.
func checkReady(ctx context.Context, c *config.Config, stdout io.Writer) error {
	if c.AdminServerPort == 0 {
		return errors.New("Admin server is not running. Please check admin-server-port config.")
	}
	if slices.Contains(specialHosts, c.AdminServerHost) {
		return fmt.Errorf("The `--ready` flag cannot be used when server-host is configured as %q. "+
			"Please update your server-host config to \"localhost\".", c.AdminServerHost)
	}
	address := readyURL(c)
	status, err := askReady(ctx, address)
	if err != nil {
		if errors.Is(err, errBadAddress) {
			return fmt.Errorf("invalid url - %s", address)
		}
		return fmt.Errorf("connection refused to %s", address)
	}
	if status < 200 || status > 299 {
		return errors.New(address)
	}
	_, err = fmt.Fprintln(stdout, "OK: "+address)
	return err
}

func readyURL(c *config.Config) string {
	return "http://" + net.JoinHostPort(c.AdminServerHost, strconv.Itoa(c.AdminServerPort)) + "/ready"
}

var errBadAddress = errors.New("bad address")

func askReady(ctx context.Context, address string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errBadAddress, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	response.Body.Close()
	return response.StatusCode, nil
}
