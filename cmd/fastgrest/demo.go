package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/fastgrest/fastgrest/server/config"
)

type demoOptions struct {
	on       bool
	dir      string
	programs string
}

// run starts the demo's database, serves it until ctx ends, and stops it.
//
// The demo ignores PGRST_ variables, because they describe another database.
func (o demoOptions) run(ctx context.Context, flags map[string]string, stdout, stderr io.Writer) error {
	began := time.Now()
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	settings := map[string]string{
		"db-schemas":        "bookshop,reports",
		"db-anon-role":      "anon",
		"jwt-secret":        base64.RawURLEncoding.EncodeToString(secret),
		"server-host":       "127.0.0.1",
		"admin-server-port": "3001",
	}
	maps.Copy(settings, flags)
	source := config.LoadOptions{Flags: settings}
	c, err := config.Load(source)
	if err != nil {
		return err
	}
	if err := portsFree(c); err != nil {
		return err
	}

	cluster, err := o.database(ctx, stdout)
	if err != nil {
		return ended(ctx, err)
	}
	defer func() {
		if err := cluster.Stop(); err != nil {
			fmt.Fprintln(stderr, "ERROR:", err)
		}
	}()

	settings["db-uri"] = cluster.URI(demoDatabase, "authenticator")
	// SIGHUP ends the demo, because it comes when the terminal closes. To the server it is a reload.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-ctx.Done():
		case <-cluster.Exited():
			cancel(errors.New("the demo's PostgreSQL has ended"))
		}
	}()
	greet := func() { _ = writeBanner(stdout, c, cluster, time.Since(began)) }

	err = serve(ctx, source, greet, stdout, stderr)
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// ended returns nil if ctx has ended, because then the error is a consequence.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// portsFree checks the ports before the database is started, which takes seconds.
func portsFree(c *config.Config) error {
	check := func(key, host string, port int) error {
		if reachable(host) != host {
			host = "" // the server will listen on all addresses
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			return listener.Close()
		}
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("port %d is taken; choose another with --%s", port, key)
		}
		return fmt.Errorf("cannot listen: %w", err)
	}
	if c.ServerUnixSocket == "" {
		if err := check("server-port", c.ServerHost, c.ServerPort); err != nil {
			return err
		}
	}
	if c.AdminServerPort == 0 || c.AdminServerUnixSocket != "" {
		return nil
	}
	return check("admin-server-port", c.AdminServerHost, c.AdminServerPort)
}

// home is the folder for data that may be deleted: the user's cache. Root runs PostgreSQL as another
// account, which cannot enter /root, so its folder is elsewhere.
func home() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/fastgrest", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for the demo's database: %w; choose one with --demo-dir", err)
	}
	return filepath.Join(cache, "fastgrest"), nil
}
