package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// drawn returns a report with everything that pictures show.
func drawn() *report {
	own := string(byServer)
	closed := section{Mix: "row", About: "One <row>.", Pool: 10, Connections: 64, Rows: []row{
		{Subject: byServer, Program: own, Median: figures{PerSecond: 23456, ServerCPU: 22, DatabaseCPU: 30}},
		{Subject: classicName, Program: classicName, Median: figures{PerSecond: 6789, ServerCPU: 80, DatabaseCPU: 101}},
		{Subject: "elsewhere", Program: "elsewhere", Median: figures{PerSecond: 1000, DatabaseCPU: 101}},
		{Subject: byWire, Median: figures{PerSecond: 40000, DatabaseCPU: 31}},
	}}
	farther := closed
	farther.Delay = 0.5
	open := func(rate int, factor float64) section {
		return section{Mix: "row", About: "One <row>.", Pool: 10, Connections: 512, Rate: rate, Rows: []row{
			{Subject: byServer, Program: own, Median: figures{P50: 0.2 * factor, P90: 0.3 * factor, P99: 0.9 * factor, P999: 4 * factor, Max: 6 * factor}},
			{Subject: classicName, Program: classicName, Median: figures{P50: 0.6 * factor, P90: 1.3 * factor, P99: 9 * factor, P999: 31 * factor, Max: 66 * factor, Failed: 2.5}},
		}}
	}
	return &report{Time: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC), Program: "fastgrest 1 & more", Peers: []string{"classic: classic"}, Postgres: 15, CPUs: 2, Rounds: 5, Seconds: 4,
		Sections: []section{closed, farther, open(1000, 1), open(5000, 2), open(10000, 5), open(20000, 40)}}
}

func TestPictures(t *testing.T) {
	r := drawn()
	for _, p := range pictures {
		var b bytes.Buffer
		if err := r.svg(p, &b); err != nil {
			t.Fatal(err)
		}
		if dir := os.Getenv("BENCH_PICTURES"); dir != "" {
			if err := os.WriteFile(dir+"/"+p.name, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		checkPicture(t, p.name, b.String())
	}
	f := func(p picture, want ...string) {
		t.Helper()
		var b strings.Builder
		if err := r.svg(p, &b); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(b.String(), ">"+text+"<") {
				t.Errorf("%s does not say %q", p.name, text)
			}
		}
	}
	f(pictures[0], "CPU time per request, µs", "52.0 = 22.0 + 30.0", "31.0", "? + 101.0", "One &lt;row&gt;", "64 connections, pool 10, PostgreSQL 0.5 ms away", "PostgreSQL alone, same SQL")
	f(pictures[1], "Requests per second", "23,456", "elsewhere")
	f(pictures[2], "1,000 requests/s, pool 10", "20,000 requests/s, pool 10", "p99.9", "0.1", "10000", "classic: 2.5 % failed", "fastgrest is fastgrest 1 &amp; more; 1 June 2025")
}

// checkPicture checks that the text is XML, that all elements are on the page, and that coordinates are numbers.
func checkPicture(t *testing.T, name, text string) {
	t.Helper()
	var width, height float64
	number := func(e xml.StartElement, attribute string) float64 {
		for _, a := range e.Attr {
			if a.Name.Local == attribute {
				v, err := strconv.ParseFloat(a.Value, 64)
				if err != nil || v != v || v < 0 {
					t.Errorf("%s: <%s %s=%q>", name, e.Name.Local, attribute, a.Value)
				}
				return v
			}
		}
		return 0
	}
	elements := map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s is not XML: %v\n%s", name, err, text)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		elements[e.Name.Local]++
		switch e.Name.Local {
		case "svg":
			width, height = number(e, "width"), number(e, "height")
		case "rect", "text":
			if number(e, "x")+number(e, "width") > width || number(e, "y")+number(e, "height") > height {
				t.Errorf("%s: outside of the page: %v", name, e.Attr)
			}
		case "line":
			if max(number(e, "x1"), number(e, "x2")) > width || max(number(e, "y1"), number(e, "y2")) > height {
				t.Errorf("%s: outside of the page: %v", name, e.Attr)
			}
		case "path":
			for _, a := range e.Attr {
				if a.Name.Local == "d" && strings.Contains(fmt.Sprint(a.Value), "N") {
					t.Errorf("%s: no number in %s", name, a.Value)
				}
			}
		}
	}
	if elements["text"] < 5 || elements["rect"]+elements["path"] < 5 {
		t.Errorf("%s shows too little: %v", name, elements)
	}
}

// TestPicturesOfLittle checks pictures of empty reports and of reports with zeros only.
func TestPicturesOfLittle(t *testing.T) {
	r := &report{Rounds: 1, Sections: []section{{Mix: "a", Rows: []row{{Subject: byServer}}}, {Mix: "a", Rate: 1, Rows: []row{{Subject: byServer}}}}}
	for _, p := range pictures {
		var b strings.Builder
		if err := r.svg(p, &b); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s: %s", p.name, text)
		}
	}
}
