package main

import (
	"crypto/md5"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strings"
)

// checksums are what a client says of its content: base64, empty where it does not say.
type checksums struct{ crc32c, md5 string }

// readChecksums takes them from the resource and the X-Goog-Hash headers.
func readChecksums(asked resource, header http.Header) checksums {
	c := checksums{asked.Crc32c, asked.Md5Hash}
	for _, part := range strings.Split(strings.Join(header.Values("X-Goog-Hash"), ","), ",") {
		kind, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch kind {
		case "crc32c":
			c.crc32c = value
		case "md5":
			c.md5 = value
		}
	}
	return c
}

// check compares with the content of a file.
func (c checksums) check(file *os.File) error {
	for _, declared := range []struct {
		name, value string
		hash        hash.Hash
	}{
		{"CRC32C", c.crc32c, crc32.New(crc32.MakeTable(crc32.Castagnoli))},
		{"MD5 hash", c.md5, md5.New()},
	} {
		if declared.value == "" {
			continue
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(declared.hash, file); err != nil {
			return err
		}
		if found := base64.StdEncoding.EncodeToString(declared.hash.Sum(nil)); found != declared.value {
			return invalid("Provided %s %q doesn't match calculated %s %q.", declared.name, declared.value, declared.name, found)
		}
	}
	return nil
}
