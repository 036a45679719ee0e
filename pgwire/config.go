package pgwire

import (
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Config says how to connect and what a connection does. ParseConfig makes it.
type Config struct {
	*pgconn.Config

	// Statements bounds the prepared statements of a connection. Zero: none
	// are kept, every statement is parsed each time, as proxies in
	// transaction mode require. Default 500.
	Statements int

	// CancelWait is how long an interrupted flight waits for the server
	// before it gives the connection up. Default 5 s.
	CancelWait time.Duration

	// OnNotice and OnNotification are called, if set, by whoever uses the
	// connection, in the middle of what it does. They must not use it.
	OnNotice       func(*Error)
	OnNotification func(channel, payload string)
}

// ParseConfig reads a connection string, URI or keyword=value, as libpq does:
// environment variables, password file and service file included.
func ParseConfig(uri string) (*Config, error) {
	cfg, err := pgconn.ParseConfig(uri)
	if err != nil {
		return nil, err
	}
	adopt(cfg)
	return &Config{Config: cfg, Statements: 500, CancelWait: 5 * time.Second}, nil
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
}
