package compare

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// options are the flags.
type options struct {
	old, new string
	logs     []string
	repeat   bool
	limit    int

	token, tokens, jwtSecret, claims, anonRole string
	secretIsBase64                             bool
	headers                                    []string

	writes, bothRollBack bool

	rate        float64
	concurrency int
	timeout     time.Duration
	maxBody     int64

	ignored []string
	strict  bool
	json    string
}

// Flags returns the flags of the command, for its documentation.
func Flags() *pflag.FlagSet { return new(options).flags() }

func (o *options) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("compare", pflag.ContinueOnError)
	f.SortFlags = false
	f.SetOutput(io.Discard) // the program prints the error
	f.StringVar(&o.old, "old", "", "`URL` of PostgREST")
	f.StringVar(&o.new, "new", "", "`URL` of fastgrest")
	f.StringArrayVar(&o.logs, "log", nil, "`FILE` with an access log or a list of requests; - is standard input; can be repeated")
	f.BoolVar(&o.repeat, "repeat", false, "send equal requests as often as they occur")
	f.IntVar(&o.limit, "limit", 0, "send at most `N` requests (0: all)")

	f.StringVar(&o.tokens, "tokens", "", "`FILE` with lines role=token")
	f.StringVar(&o.jwtSecret, "jwt-secret", "", "`FILE` with the secret that signs a token for each role (HS256)")
	f.BoolVar(&o.secretIsBase64, "jwt-secret-is-base64", false, "the file of --jwt-secret has base64")
	f.StringVar(&o.claims, "claims", `{"role":"{role}"}`, "`JSON` object of the claims of signed tokens; {role} stands for the role")
	f.StringVar(&o.token, "token", "", "`TOKEN` for roles that have no other token; {role} stands for the role")
	f.StringVar(&o.anonRole, "anon-role", "", "`ROLE` of requests that had no token")
	f.StringArrayVar(&o.headers, "header", nil, "`'NAME: VALUE'` to send with every request; can be repeated")

	f.BoolVar(&o.writes, "writes", false, "send POST, PATCH, PUT and DELETE, too, with Prefer: tx=rollback")
	f.BoolVar(&o.bothRollBack, "both-roll-back", false, "both servers have db-tx-end = rollback, and so cannot show that they roll back")

	f.Float64Var(&o.rate, "rate", 50, "send at most `N` requests per second to each server")
	f.IntVar(&o.concurrency, "concurrency", 4, "send at most `N` requests at the same time to each server")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "`TIME` for a response")
	f.Int64Var(&o.maxBody, "max-body", 64<<20, "`BYTES` of a response body that is compared")

	f.StringArrayVar(&o.ignored, "ignore-header", nil, "`NAME` of a response header that is not compared; X-* stands for all names that begin with X-; can be repeated")
	f.BoolVar(&o.strict, "strict", false, "count other white space and another order of rows or keys as differences")
	f.StringVar(&o.json, "json", "", "write the report as JSON to `FILE`, too; - is standard output, instead of text")
	return f
}

// parse reads the command line. done is true if the help was asked for and printed.
func (o *options) parse(args []string, help io.Writer) (done bool, err error) {
	f := o.flags()
	switch err := f.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		_, err := fmt.Fprintf(help, "Usage: fastgrest compare --old URL --new URL --log FILE [flags]\n\n"+
			"Sends the requests of FILE to both servers and reports where the responses\n"+
			"differ. The exit code is 0 if they are equal, 1 if they differ, and 2 if they\n"+
			"cannot be compared.\n\nFlags:\n%s", f.FlagUsagesWrapped(80))
		return true, err
	case err != nil:
		return false, fail("%v (fastgrest compare --help lists the flags)", err)
	case f.NArg() > 0:
		return false, fail("%q is not a flag; name files with --log", f.Arg(0))
	}
	return false, o.check()
}

func (o *options) check() error {
	switch {
	case len(o.logs) == 0:
		return fail("--log is missing: a file with an access log or a list of requests, or - for standard input")
	case o.limit < 0:
		return fail("--limit must not be negative")
	case !(o.rate >= 0.001 && o.rate <= 1e6):
		return fail("--rate must be between 0.001 and 1000000")
	case o.concurrency < 1 || o.concurrency > 1000:
		return fail("--concurrency must be between 1 and 1000")
	case o.timeout <= 0:
		return fail("--timeout must be positive")
	case o.maxBody < 1 || o.maxBody > 1<<40:
		return fail("--max-body must be between 1 and %d", int64(1)<<40)
	case o.bothRollBack && !o.writes:
		return fail("--both-roll-back has no effect without --writes")
	}
	return nil
}

// header parses --header.
func (o *options) header() (http.Header, error) {
	h := http.Header{}
	for _, text := range o.headers {
		name, value, ok := strings.Cut(text, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || !validHeader(name, value):
			return nil, fail("--header is not 'NAME: VALUE'") // without its text, which may be a secret
		case ofConnection[http.CanonicalHeaderKey(name)]:
			return nil, fail("--header cannot set %s", name)
		}
		h.Add(name, value)
	}
	return h, nil
}
