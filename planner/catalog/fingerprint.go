package catalog

import (
	"context"
	"strings"
)

// Fingerprint is text that changes whenever what a catalog is loaded from, or
// the settings kept in the database, may have changed. It is made of counts
// and sums, which is a fraction of a load but still a look at every column of
// every table. q must run all statements in one transaction, as for Load.
func Fingerprint(ctx context.Context, q Querier) (string, error) {
	if _, err := oneText(ctx, q, "session"); err != nil {
		return "", err
	}
	return oneText(ctx, q, "fingerprint")
}

// Moment is text that stays the same only as long as no transaction has
// changed anything in the database. It costs next to nothing: while it is the
// same there is no need to ask for a Fingerprint.
func Moment(ctx context.Context, q Querier) (string, error) {
	return oneText(ctx, q, "moment")
}

func oneText(ctx context.Context, q Querier, name string) (string, error) {
	text, err := queries.ReadFile("queries/" + name + ".sql")
	if err != nil {
		return "", &Error{name, err}
	}
	var found []string
	err = q(ctx, string(text), nil, func(columns [][]byte) error {
		for _, c := range columns {
			found = append(found, string(c))
		}
		return nil
	})
	if err != nil {
		return "", &Error{name, err}
	}
	return strings.Join(found, " "), nil
}
