package main

import (
	"archive/tar"
	"bufio"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ulikunitz/xz"
)

// archives makes two archives of a program. One is named after fastgrest and has all documents. The
// other has the name and the content of an archive of PostgREST's releases: the program postgrest, and
// nothing else. Installers of PostgREST unpack it where programs are.
func (r *release) archives(p platform, program string, docs documents) error {
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	err = r.archive("fastgrest-"+r.version+"-"+p.name()+".tar.xz", append(documents{{"fastgrest", binary}}, docs...))
	if err != nil {
		return err
	}
	return r.archive("postgrest-"+r.version+"-"+p.name()+".tar.xz", documents{{"postgrest", binary}})
}

func (r *release) archive(name string, content documents) error {
	return r.write(name, func(w io.Writer) error {
		compressed, err := xz.NewWriter(w)
		if err != nil {
			return err
		}
		t := tar.NewWriter(compressed)
		for _, d := range content {
			mode := int64(0o644)
			if d.name == "fastgrest" || d.name == "postgrest" {
				mode = 0o755
			}
			err := t.WriteHeader(&tar.Header{
				Typeflag: tar.TypeReg, Name: d.name, Size: int64(len(d.text)), Mode: mode,
				Uname: "root", Gname: "root", ModTime: time.Unix(r.epoch, 0), Format: tar.FormatUSTAR,
			})
			if err != nil {
				return err
			}
			if _, err := t.Write(d.text); err != nil {
				return err
			}
		}
		if err := t.Close(); err != nil {
			return err
		}
		return compressed.Close()
	})
}

// write makes a file of the release.
func (r *release) write(name string, content func(io.Writer) error) (err error) {
	f, err := os.OpenFile(filepath.Join(r.out, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<20)
	if err := content(buffered); err != nil {
		return err
	}
	return buffered.Flush()
}
