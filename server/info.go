package server

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// relationInfo responds to OPTIONS of a relation with the methods that it allows.
// The privileges of the client's role are not checked.
func (rq *request) relationInfo() error {
	// A faulty query string is refused even though nothing in it is used.
	if err := rq.parseQuery(0); err != nil {
		return err
	}
	q := catalog.QI{Schema: rq.schemaName(), Name: string(rq.target.name)}
	t := rq.snap.planner.Catalog().Tables[q]
	if t == nil {
		return rq.snap.planner.NotFound(q)
	}
	allow := []string{"OPTIONS,GET,HEAD"}
	if t.Insertable {
		allow = append(allow, "POST")
	}
	if t.Insertable && t.Updatable && len(t.PrimaryKey) > 0 {
		allow = append(allow, "PUT")
	}
	if t.Updatable {
		allow = append(allow, "PATCH")
	}
	if t.Deletable {
		allow = append(allow, "DELETE")
	}
	rq.respondInfo(strings.Join(allow, ","))
	return nil
}

func (rq *request) rootInfo() error {
	if err := rq.parseQuery(0); err != nil {
		return err
	}
	rq.respondInfo("OPTIONS,GET,HEAD")
	return nil
}

func (rq *request) respondInfo(allow string) {
	resp := &rq.ctx.Response
	resp.SetStatusCode(fasthttp.StatusOK)
	resp.Header.Set(fasthttp.HeaderAccessControlAllowOrigin, "*")
	if strings.Contains(allow, "GET,HEAD") && rq.advertiseQuery() {
		allow = strings.Replace(allow, "GET,HEAD", "GET,HEAD,QUERY", 1)
	}
	resp.Header.Set(fasthttp.HeaderAllow, allow)
	resp.Header.SetCanonical(headerVary, varyValue)
}
