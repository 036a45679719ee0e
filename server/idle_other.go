//go:build !linux

package server

import "errors"

const canPark = false

type readiness struct{}

func newReadiness() (*readiness, error) { return nil, errors.ErrUnsupported }

func (*readiness) add(int) error { return errors.ErrUnsupported }

func (*readiness) wait([]int) ([]int, error) { return nil, errors.ErrUnsupported }

func (*readiness) close() {}
