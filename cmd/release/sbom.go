package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"io"
	"os"
	"runtime/debug"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

const module = "github.com/fastgrest/fastgrest"

// sbom lists the modules in a program, as the Go command has recorded them in it.
func (r *release) sbom(p platform, program string, _ documents) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	bom := r.bom(info, sha256.Sum256(binary))
	return r.write("fastgrest-"+r.version+"-"+p.name()+".cdx.json", func(w io.Writer) error {
		return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	})
}

func (r *release) bom(info *buildinfo.BuildInfo, sum [sha256.Size]byte) *cdx.BOM {
	main := purl(module, r.version)
	components := []cdx.Component{{
		BOMRef: purl("std", info.GoVersion), Type: cdx.ComponentTypeLibrary, Name: "std",
		Version: info.GoVersion, PackageURL: purl("std", info.GoVersion),
	}}
	for _, m := range info.Deps {
		components = append(components, component(m))
	}
	var refs []string
	for i := range components {
		refs = append(refs, components[i].BOMRef)
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, sum[:]).URN() // of the content, so it can be reproduced
	bom.Metadata = &cdx.Metadata{
		Timestamp: time.Unix(r.epoch, 0).UTC().Format(time.RFC3339),
		Component: &cdx.Component{
			BOMRef: main, Type: cdx.ComponentTypeApplication, Name: "fastgrest", Version: r.version, PackageURL: main,
			Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
			Licenses: &cdx.Licenses{{License: &cdx.License{ID: "MIT"}}},
		},
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: main, Dependencies: &refs}}
	return bom
}

// component describes a module. Its sum, as in go.sum, is a property: CycloneDX's hashes are of files.
func component(m *debug.Module) cdx.Component {
	if m.Replace != nil {
		m = m.Replace
	}
	url := purl(m.Path, m.Version)
	return cdx.Component{
		BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: url,
		Properties: &[]cdx.Property{{Name: "go:sum", Value: m.Sum}},
	}
}

// purl is the package URL of a Go module.
func purl(path, version string) string { return "pkg:golang/" + path + "@" + version }
