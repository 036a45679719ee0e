package pgwire

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Config has the parameters of a connection. ParseConfig makes it.
type Config struct {
	*pgconn.Config

	// Statements bounds the prepared statements of a connection. With zero every
	// statement is parsed each time it runs, as proxies in transaction mode require.
	// Default 256.
	Statements int

	// CancelWait is how long an interrupted flight waits for the server before the
	// connection is closed. Default 5 s.
	CancelWait time.Duration

	// OnNotice and OnNotification, if set, are called by the goroutine that uses the
	// connection, in the middle of a call. They must not use the connection.
	OnNotice       func(*Error)
	OnNotification func(channel, payload string)

	roleQuery string // see roleQuery
}

// ParseConfig reads a connection string, URI or keyword=value, as libpq does:
// environment variables, password file and service file included.
func ParseConfig(uri string) (*Config, error) {
	cfg, err := pgconn.ParseConfig(uri)
	if err != nil {
		return nil, err
	}
	if addr := cfg.RuntimeParams["hostaddr"]; addr != "" {
		if cfg, err = withAddress(cfg, uri, addr); err != nil {
			return nil, err
		}
	}
	adaptParams(cfg)
	return &Config{Config: cfg, Statements: 256, CancelWait: 5 * time.Second, roleQuery: roleQuery(cfg.ValidateConnect)}, nil
}

// Copy returns a copy that can be changed without changing cfg.
func (cfg *Config) Copy() *Config {
	dup := *cfg
	dup.Config = cfg.Config.Copy()
	return &dup
}

// ignored has libpq's parameters that pgconn does not know. It would send them to the
// server as settings, and the server would refuse the connection. Their effect is either
// built in (hostaddr: see withAddress) or does not exist here.
var ignored = []string{
	"gssencmode", "gsslib", "gssdelegation", "hostaddr", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
	"load_balance_hosts", "requirepeer", "requiressl", "sslcompression", "sslcrl", "sslcrldir", "tcp_user_timeout",
}

// adaptParams removes and sets parameters that are sent to the server.
func adaptParams(cfg *pgconn.Config) {
	params := cfg.RuntimeParams
	for _, name := range ignored {
		delete(params, name)
	}
	for _, name := range []string{"timezone", "datestyle", "geqo"} { // as in PGTZ: libpq does not send "default"
		if strings.EqualFold(params[name], "default") {
			delete(params, name)
		}
	}
	const fallback = "fallback_application_name"
	if name, ok := params[fallback]; ok {
		delete(params, fallback)
		if params["application_name"] == "" {
			params["application_name"] = name
		}
	}
	// JSON and HTTP need UTF-8, whatever the encoding of the database.
	params["client_encoding"] = "UTF8"
}

// withAddress does what libpq does with hostaddr: connections go to the address, and
// the server's certificate is verified against the host.
func withAddress(cfg *pgconn.Config, uri, addrs string) (*pgconn.Config, error) {
	if strings.HasPrefix(cfg.Host, "/") {
		// Without a host pgconn assumes a local socket, for which TLS is off. With the
		// address as the host it decides again.
		switch {
		case !strings.HasPrefix(uri, "postgres://") && !strings.HasPrefix(uri, "postgresql://"):
			uri += " host=" + addrs
		case strings.Contains(uri, "?"):
			uri += "&host=" + addrs
		default:
			uri += "?host=" + addrs
		}
		var err error
		if cfg, err = pgconn.ParseConfig(uri); err != nil {
			return nil, err
		}
		return cfg, nil
	}
	hosts := []string{cfg.Host}
	for _, f := range cfg.Fallbacks { // the same host again is the attempt without TLS
		if f.Host != hosts[len(hosts)-1] {
			hosts = append(hosts, f.Host)
		}
	}
	list := strings.Split(addrs, ",")
	if len(list) != len(hosts) {
		return nil, fmt.Errorf("could not match %d host names to %d hostaddr values", len(hosts), len(list))
	}
	address := make(map[string]string, len(hosts))
	for i, host := range hosts {
		address[host] = strings.TrimSpace(list[i])
	}
	lookup := cfg.LookupFunc
	cfg.LookupFunc = func(ctx context.Context, host string) ([]string, error) {
		if addr := address[host]; addr != "" {
			return []string{addr}, nil
		}
		return lookup(ctx, host)
	}
	return cfg, nil
}
