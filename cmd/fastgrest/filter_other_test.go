//go:build !linux

package main

func takesFilters() bool { return false }
