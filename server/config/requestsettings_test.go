package config

import (
	"strings"
	"testing"
)

func TestRequestSettings(t *testing.T) {
	all := RequestSettings{Method: true, Path: true, Headers: true, Cookies: true}
	auto := all
	auto.Auto = true
	for text, want := range map[string]RequestSettings{
		"": all, "all": all, "method,path,headers,cookies": all, "auto": auto, "none": {},
		"headers": {Headers: true}, " cookies, path ": {Cookies: true, Path: true},
	} {
		c, err := Load(LoadOptions{Flags: map[string]string{"db-request-settings": text}})
		if err != nil || c.DBRequestSettings != want {
			t.Errorf("%q: %+v %v, want %+v", text, c, err, want)
		}
	}
	for _, text := range []string{"claims", "All", "headers,", "auto,headers", "none,path", ","} {
		_, err := Load(LoadOptions{Flags: map[string]string{"db-request-settings": text}})
		if err == nil || !strings.Contains(err.Error(), "can be: all, auto, none, method, path, headers, cookies") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
