package pgwire

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Config says how to connect and what a connection does. ParseConfig makes it.
type Config struct {
	*pgconn.Config

	// Statements bounds the prepared statements of a connection. Zero: none
	// are kept, every statement is parsed each time, as proxies in
	// transaction mode require. Default 256.
	Statements int

	// CancelWait is how long an interrupted flight waits for the server
	// before it gives the connection up. Default 5 s.
	CancelWait time.Duration

	// OnNotice and OnNotification are called, if set, by whoever uses the
	// connection, in the middle of what it does. They must not use it.
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
	adopt(cfg)
	return &Config{Config: cfg, Statements: 256, CancelWait: 5 * time.Second, roleQuery: roleQuery(cfg.ValidateConnect)}, nil
}

// Copy returns a Config that can be changed on its own.
func (cfg *Config) Copy() *Config {
	dup := *cfg
	dup.Config = cfg.Config.Copy()
	return &dup
}

// ignored are libpq's parameters that pgconn does not know and would hand to
// the server as settings, which would refuse the connection. What they ask
// for is either done anyway or has no counterpart here.
var ignored = []string{
	"gssencmode", "gsslib", "gssdelegation", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
	"load_balance_hosts", "requirepeer", "requiressl", "sslcompression", "sslcrl", "sslcrldir", "tcp_user_timeout",
}

func adopt(cfg *pgconn.Config) {
	params := cfg.RuntimeParams
	for _, name := range ignored {
		delete(params, name)
	}
	const fallback = "fallback_application_name"
	if name, ok := params[fallback]; ok {
		delete(params, fallback)
		if params["application_name"] == "" {
			params["application_name"] = name
		}
	}
	// Not a matter of taste: what passes through us is UTF-8, whatever the
	// encoding of the database.
	params["client_encoding"] = "UTF8"
}

// withAddress does what libpq does with hostaddr: connections go there, the
// host is the name to verify the server's certificate against.
func withAddress(cfg *pgconn.Config, uri, addrs string) (*pgconn.Config, error) {
	if strings.HasPrefix(cfg.Host, "/") {
		// There is no host, so pgconn assumed a local socket, for which TLS
		// is off. With the address for a host it decides anew.
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
		delete(cfg.RuntimeParams, "hostaddr")
		return cfg, nil
	}
	delete(cfg.RuntimeParams, "hostaddr")
	hosts := []string{cfg.Host}
	for _, f := range cfg.Fallbacks { // one more of the same host is its attempt without TLS
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
