package classic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/valyala/fasthttp"
)

type handler struct {
	pool         *pgxpool.Pool
	schema, role string
	claims       string
}

const settingsSQL = "select set_config('search_path', $1, true), set_config('role', $2, true), set_config('request.jwt.claims', $3, true), " +
	"set_config('request.method', $4, true), set_config('request.path', $5, true), set_config('request.headers', $6, true), " +
	"set_config('request.cookies', $7, true)"

func (h *handler) handle(ctx *fasthttp.RequestCtx) {
	if len(ctx.Request.Header.Peek(fasthttp.HeaderAuthorization)) > 0 {
		ctx.Error("this server knows no tokens", fasthttp.StatusUnauthorized)
		return
	}
	r, args := find(ctx, nil)
	if r == nil {
		ctx.Error("this server does not know such a request", fasthttp.StatusNotFound)
		return
	}
	var err error
	if r.args != nil {
		if args, err = r.args(args, ctx); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
	}
	rows, body, err := h.transact(ctx, r, args)
	if err != nil {
		refuse(ctx, err)
		return
	}
	if r.method == fasthttp.MethodPost {
		ctx.SetStatusCode(fasthttp.StatusCreated)
		return
	}
	ctx.Response.Header.Set(fasthttp.HeaderContentRange, contentRange(rows))
	ctx.SetContentType("application/json; charset=utf-8")
	ctx.Response.SetBodyRaw(body)
}

// transact runs the four round trips.
func (h *handler) transact(request *fasthttp.RequestCtx, r *route, args []any) (rows int64, body []byte, err error) {
	ctx := context.Background() // fasthttp's context ends only with the server, and watching it would cost CPU time
	options := pgx.TxOptions{AccessMode: pgx.ReadOnly}
	if r.method == fasthttp.MethodPost {
		options.AccessMode = pgx.ReadWrite
	}
	tx, err := h.pool.BeginTx(ctx, options)
	if err != nil {
		return 0, nil, err
	}
	defer tx.Rollback(ctx) // does nothing after the commit
	headers, cookies, err := describe(request)
	if err != nil {
		return 0, nil, err
	}
	if _, err := tx.Exec(ctx, settingsSQL, h.schema, h.role, h.claims, r.method, r.path, headers, cookies); err != nil {
		return 0, nil, err
	}
	if r.method == fasthttp.MethodPost {
		_, err = tx.Exec(ctx, r.sql, args...)
	} else {
		err = tx.QueryRow(ctx, r.sql, args...).Scan(&rows, &body)
	}
	if err != nil {
		return 0, nil, err
	}
	return rows, body, tx.Commit(ctx)
}

// describe returns the JSON of request.headers and request.cookies.
func describe(request *fasthttp.RequestCtx) (headers, cookies string, err error) {
	all := make(map[string]string)
	for name, value := range request.Request.Header.All() {
		if name := strings.ToLower(string(name)); name != "cookie" {
			all[name] = string(value)
		}
	}
	crumbs := make(map[string]string)
	for name, value := range request.Request.Header.Cookies() {
		crumbs[string(name)] = string(value)
	}
	h, err1 := json.Marshal(all)
	c, err2 := json.Marshal(crumbs)
	return string(h), string(c), errors.Join(err1, err2)
}

func contentRange(rows int64) string {
	if rows == 0 {
		return "*/*"
	}
	return fmt.Sprintf("0-%d/*", rows-1)
}

func refuse(ctx *fasthttp.RequestCtx, err error) {
	status := fasthttp.StatusInternalServerError
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23")) {
		status = fasthttp.StatusBadRequest
	}
	ctx.Error(err.Error(), status)
}
