package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime/debug"
	"strconv"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// componentKey is where a composite's number of components is kept: in its custom metadata, hidden from clients.
const componentKey = "widemerge-component-count"

// pageSize is the most that Cloud Storage lists in one answer.
const pageSize = 1000

// freeBytes is the size of an object from which memory is given back after it was written: the stock server buffers it.
const freeBytes = 128 << 20

// source is an object that was opened at one generation: later writes of that name do not change what it reads.
type source = fakestorage.StreamingObject

// open opens an object for reading. A generation other than 0 must be the one that is there.
func (f *front) open(bucket, object string, generation int64) (source, error) {
	if f.denyRead.startsAny(object) {
		return source{}, denied("storage.objects.get", bucket, object)
	}
	defer f.locks.lock(bucket, object)()
	found, err := f.stock.GetObjectStreaming(bucket, object)
	if err != nil || generation != 0 && found.Generation != generation {
		_ = found.Close()
		return source{}, noObject(bucket, object)
	}
	_, err = found.Content.Seek(0, io.SeekStart) // a file is only opened at its first use
	return found, err
}

// generation is the one that is there, 0 where there is no such object. The caller holds the object's lock.
func (f *front) generation(bucket, object string) int64 {
	found, err := f.stock.GetObjectStreaming(bucket, object)
	if err != nil {
		return 0
	}
	defer found.Close()
	return found.Generation
}

// checkMayWrite says whether an object of this name could be created.
func (f *front) checkMayWrite(bucket, object string) error {
	if _, err := f.stock.Backend().GetBucket(bucket); err != nil {
		return noBucket()
	}
	if object == "" {
		return invalid("Required parameter: name")
	}
	if f.denyWrite.startsAny(object) {
		return denied("storage.objects.create", bucket, object)
	}
	return f.checkNames(object)
}

// create makes an object, if the conditions hold at that moment, and describes it.
func (f *front) create(r *http.Request, attrs fakestorage.ObjectAttrs, content io.ReadSeekCloser, c conditions) (map[string]any, error) {
	defer f.locks.lock(attrs.BucketName, attrs.Name)()
	if err := f.checkMayWrite(attrs.BucketName, attrs.Name); err != nil {
		return nil, err
	}
	if err := c.checkWrite(f.generation(attrs.BucketName, attrs.Name)); err != nil {
		return nil, err
	}
	if err := f.stock.CreateObjectStreaming(source{ObjectAttrs: attrs, Content: content}); err != nil {
		return nil, err
	}
	description, err := f.describe(r, attrs.BucketName, attrs.Name)
	if size, _ := strconv.ParseInt(text(description["size"]), 10, 64); size > freeBytes {
		debug.FreeOSMemory()
	}
	return description, err
}

// describe is an object's resource, as metadata requests answer it.
func (f *front) describe(r *http.Request, bucket, object string) (map[string]any, error) {
	path := "/storage/v1/b/" + url.PathEscape(bucket) + "/o/" + url.PathEscape(object)
	recorder := httptest.NewRecorder()
	f.stock.HTTPHandler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	if recorder.Code != http.StatusOK {
		return nil, noObject(bucket, object)
	}
	var description map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &description); err != nil {
		return nil, err
	}
	complete(description, r)
	return description, nil
}

// complete brings a resource of the stock server to what Cloud Storage says: composites have a component count and no MD5.
func complete(description map[string]any, r *http.Request) {
	for _, link := range []string{"selfLink", "mediaLink"} {
		if parsed, err := url.Parse(text(description[link])); err == nil {
			description[link] = "http://" + r.Host + parsed.RequestURI()
		}
	}
	metadata, _ := description["metadata"].(map[string]any)
	count, err := strconv.Atoi(text(metadata[componentKey]))
	if err != nil {
		return
	}
	description["componentCount"] = count
	delete(description, "md5Hash")
	delete(metadata, componentKey)
	if len(metadata) == 0 {
		delete(description, "metadata")
	}
}

func text(value any) string {
	text, _ := value.(string)
	return text
}

// readGeneration takes a generation out of a query, 0 where it has none.
func readGeneration(query url.Values, name string) (int64, error) {
	if query.Get(name) == "" {
		return 0, nil
	}
	value, err := strconv.ParseInt(query.Get(name), 10, 64)
	if err != nil {
		return 0, invalid("Invalid value for %s: %q", name, query.Get(name))
	}
	return value, nil
}
