package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
)

// blockBytes is what a session stores at a time: of a request that breaks off or is not the last one, only whole blocks
// stay.
const blockBytes = 256 << 10

// session is a resumable upload on its way.
type session struct {
	bucket     string
	asked      resource
	declared   checksums
	conditions conditions
	announced  int64 // size that the start announced, -1 if none

	mutex     sync.Mutex
	turn      int // counts requests: a newer one ends the one before it
	file      *os.File
	stored    int64
	object    map[string]any // once the upload is complete
	cancelled bool
}

// startUpload opens a session and tells its address, under the host that the client used.
func (f *front) startUpload(w http.ResponseWriter, r *http.Request) error {
	asked, err := readResource(r.Body, r)
	if err != nil {
		return err
	}
	c, err := readConditions(r.URL.Query(), "if")
	if err != nil {
		return err
	}
	bucket := r.PathValue("bucket")
	if err := f.checkMayWrite(bucket, asked.Name); err != nil {
		return err
	}
	if kind := r.Header.Get("X-Upload-Content-Type"); kind != "" {
		asked.ContentType = kind
	}
	announced := int64(-1)
	if length := r.Header.Get("X-Upload-Content-Length"); length != "" {
		if announced, err = strconv.ParseInt(length, 10, 64); err != nil {
			return invalid("Invalid X-Upload-Content-Length: %q", length)
		}
	}
	if err := f.checkNow(bucket, asked.Name, c); err != nil {
		return err
	}
	file, err := os.CreateTemp(f.scratch, "session-")
	if err != nil {
		return err
	}
	id := rand.Text()
	f.sessions.Store(id, &session{
		bucket: bucket, asked: asked, declared: readChecksums(asked, r.Header), conditions: c, announced: announced, file: file,
	})
	w.Header().Set("X-GUploader-UploadID", id)
	w.Header().Set("Location", fmt.Sprintf("http://%s%s?uploadType=resumable&name=%s&upload_id=%s",
		r.Host, r.URL.EscapedPath(), url.QueryEscape(asked.Name), id))
	w.WriteHeader(http.StatusOK)
	return nil
}

func (f *front) checkNow(bucket, object string, c conditions) error {
	defer f.locks.lock(bucket, object)()
	return c.checkWrite(f.generation(bucket, object))
}

func (f *front) findSession(r *http.Request) (*session, error) {
	if found, ok := f.sessions.Load(r.URL.Query().Get("upload_id")); ok {
		return found.(*session), nil
	}
	return nil, noUpload
}

// continueUpload takes a chunk of a session, or tells how much of it is stored.
func (f *front) continueUpload(w http.ResponseWriter, r *http.Request) error {
	s, err := f.findSession(r)
	if err != nil {
		return err
	}
	chunk, err := readContentRange(r)
	if err != nil {
		return err
	}
	if s.announced >= 0 && chunk.total >= 0 && chunk.total != s.announced {
		return invalid("Content-Range total %d is not the X-Upload-Content-Length %d.", chunk.total, s.announced)
	}
	turn, object, err := s.begin(chunk)
	if err != nil {
		return err
	}
	if object != nil {
		_, _ = io.CopyN(io.Discard, r.Body, drainBytes)
		answer(w, http.StatusOK, object)
		return nil
	}
	if !chunk.query {
		if err := s.take(chunk, r.Body, turn); err != nil {
			return err
		}
	}
	return f.finishUpload(w, r, s, chunk, turn)
}

// finishUpload makes the object when all of it is stored; until then it says how far the session is.
func (f *front) finishUpload(w http.ResponseWriter, r *http.Request, s *session, chunk contentRange, turn int) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.turn != turn {
		return superseded
	}
	if !chunk.endsAt(s.stored) {
		if s.stored > 0 {
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", s.stored-1))
		}
		w.WriteHeader(http.StatusPermanentRedirect)
		return nil
	}
	declared := s.declared
	if r.Header.Get("X-Goog-Hash") != "" {
		declared = readChecksums(s.asked, r.Header)
	}
	object, err := f.store(r, s.bucket, s.asked, s.file, declared, s.conditions)
	if err != nil {
		return err
	}
	discard(s.file)
	s.object = object
	answer(w, http.StatusOK, object)
	return nil
}

// cancelUpload gives a session up.
func (f *front) cancelUpload(_ http.ResponseWriter, r *http.Request) error {
	s, err := f.findSession(r)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.object == nil {
		s.turn++
		s.cancelled = true
		discard(s.file)
	}
	return cancelled
}
