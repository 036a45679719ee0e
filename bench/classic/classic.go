package classic

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/valyala/fasthttp"
)

// Run serves until ctx ends. env returns PGRST_ variables, like os.Getenv.
func Run(ctx context.Context, env func(string) string) error {
	pool, err := connect(ctx, env)
	if err != nil {
		return err
	}
	defer pool.Close()
	api, err := net.Listen("tcp4", net.JoinHostPort(env("PGRST_SERVER_HOST"), env("PGRST_SERVER_PORT")))
	if err != nil {
		return err
	}
	defer api.Close()
	admin, err := net.Listen("tcp4", net.JoinHostPort(env("PGRST_ADMIN_SERVER_HOST"), env("PGRST_ADMIN_SERVER_PORT")))
	if err != nil {
		return err
	}
	defer admin.Close()

	h := &handler{pool: pool, schema: env("PGRST_DB_SCHEMAS"), role: env("PGRST_DB_ANON_ROLE")}
	h.claims = fmt.Sprintf(`{"role":%q}`, h.role)
	server := &fasthttp.Server{Handler: h.handle, Name: "classic", Logger: quiet{}}
	ready := &http.Server{Handler: readiness(pool), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(api) }()
	go func() { ended <- ready.Serve(admin) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(ready.Close(), server.ShutdownWithContext(ctx))
}

// connect opens all connections, so that none is opened during a measurement. Statements are prepared on first use
// and kept, which is pgx's default.
func connect(ctx context.Context, env func(string) string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(env("PGRST_DB_URI"))
	if err != nil {
		return nil, err
	}
	size, err := strconv.ParseInt(env("PGRST_DB_POOL"), 10, 32)
	if err != nil || size < 1 {
		return nil, fmt.Errorf("PGRST_DB_POOL: %q is not a number of connections", env("PGRST_DB_POOL"))
	}
	config.MaxConns, config.MinConns = int32(size), int32(size)
	return pgxpool.NewWithConfig(ctx, config)
}

func readiness(pool *pgxpool.Pool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		if err := pool.Ping(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	return mux
}

// quiet drops fasthttp's log messages about clients that disconnect.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
