package server

import (
	"context"
	"time"

	"github.com/fastgrest/fastgrest/server/admin"
)

// keepHistory fills the history that the page of the admin port draws, until
// ctx ends.
func (a adminView) keepHistory(ctx context.Context) {
	ticker := time.NewTicker(admin.MomentSeconds * time.Second / admin.LooksPerMoment)
	defer ticker.Stop()
	a.history.Add(a.moment()) // the plots begin with the start
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		pool := a.poolFigures()
		if a.history.Look(pool.InUse, pool.Waiting) {
			a.history.Add(a.moment())
		}
	}
}

func (a adminView) moment() admin.Moment {
	_, all, classes := a.metrics.Requests()
	database, wait := a.metrics.Database(), a.metrics.Wait()
	return admin.Moment{
		Now: time.Now().UnixMilli(), Classes: classes,
		Duration: pageHistogram(&all), Database: pageHistogram(&database), Wait: pageHistogram(&wait),
	}
}
