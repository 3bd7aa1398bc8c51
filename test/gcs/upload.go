package main

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
)

// upload takes an object in one request, or starts a session that takes it in several.
func (f *front) upload(w http.ResponseWriter, r *http.Request) error {
	switch kind := r.URL.Query().Get("uploadType"); kind {
	case "media":
		asked := resource{Name: r.URL.Query().Get("name"), ContentType: r.Header.Get("Content-Type")}
		return f.uploadAtOnce(w, r, asked, r.Body)
	case "multipart":
		asked, content, err := readMultipart(r)
		if err != nil {
			return err
		}
		return f.uploadAtOnce(w, r, asked, content)
	case "resumable":
		return f.startUpload(w, r)
	default:
		return invalid("Invalid uploadType: %q", kind)
	}
}

// readMultipart takes the resource of a multipart upload; its content is then the part to read.
func readMultipart(r *http.Request) (resource, io.Reader, error) {
	_, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || parameters["boundary"] == "" {
		return resource{}, nil, invalid("Missing end boundary in multipart body.")
	}
	reader := multipart.NewReader(r.Body, parameters["boundary"])
	first, err := reader.NextPart()
	if err != nil {
		return resource{}, nil, invalid("Malformed multipart body: %v", err)
	}
	asked, err := readResource(first, r)
	if err != nil {
		return resource{}, nil, err
	}
	content, err := reader.NextPart()
	if err != nil {
		return resource{}, nil, invalid("Malformed multipart body: %v", err)
	}
	if asked.ContentType == "" {
		asked.ContentType = content.Header.Get("Content-Type")
	}
	return asked, content, nil
}

// readResource takes the resource that a new object shall have; its name may be in the query instead.
func readResource(body io.Reader, r *http.Request) (resource, error) {
	var asked resource
	if err := json.NewDecoder(body).Decode(&asked); err != nil && !errors.Is(err, io.EOF) {
		return asked, invalid("Parse error: %v", err)
	}
	if name := r.URL.Query().Get("name"); name != "" {
		asked.Name = name
	}
	return asked, nil
}

// uploadAtOnce stores content that comes in one request. It waits in a file until it is whole, so that an upload that
// stalls or breaks neither holds the stock server nor leaves an object.
func (f *front) uploadAtOnce(w http.ResponseWriter, r *http.Request, asked resource, content io.Reader) error {
	c, err := readConditions(r.URL.Query(), "if")
	if err != nil {
		return err
	}
	bucket := r.PathValue("bucket")
	if err := f.checkMayWrite(bucket, asked.Name); err != nil {
		return err
	}
	file, err := os.CreateTemp(f.scratch, "upload-")
	if err != nil {
		return err
	}
	defer discard(file)
	if _, err := io.Copy(file, content); err != nil {
		return invalid("The request body broke off: %v", err)
	}
	description, err := f.store(r, bucket, asked, file, readChecksums(asked, r.Header), c)
	if err == nil {
		answer(w, http.StatusOK, description)
	}
	return err
}

// store makes an object of a file's content, if that is what the client declared it to be.
func (f *front) store(r *http.Request, bucket string, asked resource, file *os.File, declared checksums, c conditions) (map[string]any, error) {
	if err := declared.check(file); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return f.create(r, asked.attrs(bucket, asked.Name), file, c)
}

func discard(file *os.File) {
	_ = file.Close()
	_ = os.Remove(file.Name())
}
