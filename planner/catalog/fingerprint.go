package catalog

import (
	"context"
	"strings"
)

// Fingerprint returns text that changes with the catalog's sources and with the
// settings kept in the database. It consists of counts and sums. It costs a
// fraction of a load, but still reads every column of every table. q must run all
// statements in one transaction, as for Load.
func Fingerprint(ctx context.Context, q Querier) (string, error) {
	if _, err := oneText(ctx, q, "session"); err != nil {
		return "", err
	}
	return oneText(ctx, q, "fingerprint")
}

// Moment returns text that changes whenever a transaction has changed the
// database. It is very cheap. While it is unchanged, the Fingerprint is too.
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
