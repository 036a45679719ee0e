package check

import (
	"context"
	"errors"
	"time"

	"github.com/fastgrest/fastgrest/server/config"
)

// Options of a run.
type Options struct {
	Source  config.LoadOptions
	Version string   // of the program
	Skip    []string // of Names
}

// patience is the time that a run may take.
const patience = 2 * time.Minute

// Run checks the configuration and the database.
func Run(ctx context.Context, o Options) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	report := &Report{}
	defer report.sort()
	c, err := config.Load(o.Source)
	if err != nil {
		report.add(o.Skip, unusable(err))
		return report, nil
	}
	s, err := open(ctx, c, o)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		report.add(o.Skip, checkSettings(c)...)
		report.add(o.Skip, refused.finding)
		return report, nil
	case err != nil:
		return nil, err
	}
	defer s.close()
	report.Database = true
	report.add(o.Skip, s.stored...)
	if s.config == nil { // the settings in the database are invalid
		return report, nil
	}
	report.add(o.Skip, checkSettings(s.config)...)
	link, err := s.checkLink(ctx)
	if err != nil {
		return nil, err
	}
	report.add(o.Skip, link...)
	for _, check := range []func(context.Context) ([]Finding, error){s.checkRules, s.checkHooks, s.checkPolicies} {
		found, err := check(ctx)
		if err != nil {
			return nil, err
		}
		report.add(o.Skip, found...)
	}
	return report, nil
}
