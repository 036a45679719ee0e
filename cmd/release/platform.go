package main

import (
	"fmt"
	"strings"
)

// platform is an operating system and an architecture.
type platform struct {
	os, arch string // Go's names
}

var platforms = []platform{
	{"linux", "amd64"},
	{"linux", "arm64"},
	{"darwin", "amd64"},
	{"darwin", "arm64"},
}

// name is that of PostgREST's releases, which installers know.
func (p platform) name() string {
	system := map[string]string{"linux": "linux-static", "darwin": "macos"}[p.os]
	return system + "-" + map[string]string{"amd64": "x86-64", "arm64": "aarch64"}[p.arch]
}

// selected returns the platform of a name such as linux/amd64, or all without a name.
func selected(name string) ([]platform, error) {
	if name == "" {
		return platforms, nil
	}
	var names []string
	for _, p := range platforms {
		names = append(names, p.os+"/"+p.arch)
		if p.os+"/"+p.arch == name {
			return []platform{p}, nil
		}
	}
	return nil, fmt.Errorf("there is no platform %s; the platforms are %s", name, strings.Join(names, ", "))
}
