package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
)

// listObjects answers a page of a listing, never a longer one than Cloud Storage would.
func (f *front) listObjects(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if f.denyRead.startsAny(query.Get("prefix")) {
		return denied("storage.objects.list", r.PathValue("bucket"), query.Get("prefix"))
	}
	if _, err := f.stock.Backend().GetBucket(r.PathValue("bucket")); err != nil {
		return noBucket()
	}
	if asked, err := strconv.Atoi(query.Get("maxResults")); err != nil || asked < 1 || asked > pageSize {
		query.Set("maxResults", strconv.Itoa(pageSize))
	}
	inner := r.Clone(r.Context())
	inner.URL.RawQuery = query.Encode()
	recorder := httptest.NewRecorder()
	f.stock.HTTPHandler().ServeHTTP(recorder, inner)
	var listing map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &listing); err != nil {
		return err
	}
	items, _ := listing["items"].([]any)
	for _, item := range items {
		if description, ok := item.(map[string]any); ok {
			complete(description, r)
		}
	}
	answer(w, recorder.Code, listing)
	return nil
}

// getObject answers an object's resource, or its content where that is asked for.
func (f *front) getObject(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("alt") == "media" {
		return f.getMedia(w, r)
	}
	bucket, object := r.PathValue("bucket"), r.PathValue("object")
	found, err := f.openAsAsked(r)
	if err != nil {
		return err
	}
	defer found.Close()
	description, err := f.describe(r, bucket, object)
	if err == nil && text(description["generation"]) != strconv.FormatInt(found.Generation, 10) {
		return f.getObject(w, r) // replaced in between
	}
	if err == nil {
		answer(w, http.StatusOK, description)
	}
	return err
}

// openAsAsked opens the object of a request, at its generation and if its conditions hold.
func (f *front) openAsAsked(r *http.Request) (source, error) {
	c, err := readConditions(r.URL.Query(), "if")
	if err != nil {
		return source{}, err
	}
	generation, err := readGeneration(r.URL.Query(), "generation")
	if err != nil {
		return source{}, err
	}
	found, err := f.open(r.PathValue("bucket"), r.PathValue("object"), generation)
	if err != nil {
		return source{}, err
	}
	if err := c.checkRead(found.Generation); err != nil {
		_ = found.Close()
		return source{}, err
	}
	return found, nil
}

// getMedia answers content, or a range of it: only the range is read.
func (f *front) getMedia(w http.ResponseWriter, r *http.Request) error {
	found, err := f.openAsAsked(r)
	if err != nil {
		return err
	}
	defer found.Close()
	header := w.Header()
	header.Set("Content-Type", found.ContentType)
	if found.ContentType == "" {
		header.Set("Content-Type", "application/octet-stream")
	}
	header.Set("X-Goog-Generation", strconv.FormatInt(found.Generation, 10))
	header.Set("X-Goog-Metageneration", strconv.Itoa(metageneration))
	header.Set("X-Goog-Stored-Content-Encoding", "identity")
	header.Set("X-Goog-Stored-Content-Length", strconv.FormatInt(found.Size, 10))
	header.Set("X-Goog-Storage-Class", found.StorageClass)
	header.Add("X-Goog-Hash", "crc32c="+found.Crc32c)
	if _, composite := found.Metadata[componentKey]; composite {
		header.Set("X-Goog-Component-Count", found.Metadata[componentKey])
	} else {
		header.Add("X-Goog-Hash", "md5="+found.Md5Hash)
	}
	http.ServeContent(w, r, "", found.Updated, found.Content)
	return nil
}
