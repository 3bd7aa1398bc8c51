package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// copy makes an object of another one and answers the new resource.
func (f *front) copy(w http.ResponseWriter, r *http.Request) error {
	description, err := f.copyObject(r)
	if err == nil {
		answer(w, http.StatusOK, description)
	}
	return err
}

// rewrite is the same in the form that may take several calls; here one call does it.
func (f *front) rewrite(w http.ResponseWriter, r *http.Request) error {
	description, err := f.copyObject(r)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{
		"kind": "storage#rewriteResponse", "done": true, "resource": description,
		"objectSize": description["size"], "totalBytesRewritten": description["size"],
	})
	return nil
}

func (f *front) copyObject(r *http.Request) (map[string]any, error) {
	query := r.URL.Query()
	onSource, err := readConditions(query, "ifSource")
	if err != nil {
		return nil, err
	}
	onTarget, err := readConditions(query, "if")
	if err != nil {
		return nil, err
	}
	generation, err := readGeneration(query, "sourceGeneration")
	if err != nil {
		return nil, err
	}
	var asked resource
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil && !errors.Is(err, io.EOF) {
		return nil, invalid("Parse error: %v", err)
	}
	found, err := f.open(r.PathValue("bucket"), r.PathValue("object"), generation)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	if err := onSource.checkWrite(found.Generation); err != nil {
		return nil, err
	}
	return f.create(r, inherit(asked, found).attrs(r.PathValue("toBucket"), r.PathValue("toObject")), found.Content, onTarget)
}

// inherit takes from the source what the request does not set.
func inherit(asked resource, from source) resource {
	asked.ContentType = cmp.Or(asked.ContentType, from.ContentType)
	asked.ContentEncoding = cmp.Or(asked.ContentEncoding, from.ContentEncoding)
	asked.ContentDisposition = cmp.Or(asked.ContentDisposition, from.ContentDisposition)
	asked.ContentLanguage = cmp.Or(asked.ContentLanguage, from.ContentLanguage)
	asked.CacheControl = cmp.Or(asked.CacheControl, from.CacheControl)
	if components := from.Metadata[componentKey]; asked.Metadata == nil {
		asked.Metadata = from.Metadata
	} else if components != "" {
		asked.Metadata[componentKey] = components
	}
	return asked
}
