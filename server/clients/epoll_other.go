//go:build !linux

package clients

import "errors"

// epoll exists on Linux only.
type epoll struct{}

func newEpoll() (*epoll, error) { return nil, errors.ErrUnsupported }

func (*epoll) add(int) error { return errors.ErrUnsupported }

func (*epoll) wait([]int) ([]int, error) { return nil, errors.ErrUnsupported }

func (*epoll) close() {}
