package main

import (
	"io/fs"
	"net/http"
	"sync"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// front is the JSON API as clients see it.
type front struct {
	stock     *fakestorage.Server
	onDisk    bool
	scratch   string
	denyRead  list
	denyWrite list
	locks     locks
	sessions  sync.Map // upload id to *session
}

func (f *front) handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, serve func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			err := f.checkNames(r.PathValue("object"), r.PathValue("toObject"))
			if err == nil {
				err = serve(w, r)
			}
			if err != nil {
				refuse(w, r, err)
			}
		})
	}
	const objects = "/storage/v1/b/{bucket}/o"
	const object = objects + "/{object}"
	const uploads = "/upload/storage/v1/b/{bucket}/o"
	handle("GET /storage/v1/b", f.passOn)
	handle("POST /storage/v1/b", f.passOn)
	handle("GET /storage/v1/b/{bucket}", f.passOn)
	handle("DELETE /storage/v1/b/{bucket}", f.passOn)
	handle("GET "+objects, f.listObjects)
	handle("GET "+object, f.getObject)
	handle("GET /download"+object, f.getMedia)
	handle("DELETE "+object, f.deleteObject)
	handle("POST "+object+"/compose", f.compose)
	handle("POST "+object+"/rewriteTo/b/{toBucket}/o/{toObject}", f.rewrite)
	handle("POST "+object+"/copyTo/b/{toBucket}/o/{toObject}", f.copy)
	handle("POST "+uploads, f.upload)
	handle("PUT "+uploads, f.continueUpload)
	handle("DELETE "+uploads, f.cancelUpload)
	handle("/", func(http.ResponseWriter, *http.Request) error { return notServed })
	return mux
}

// checkNames refuses names that the stock server would take for another place in its folder.
func (f *front) checkNames(names ...string) error {
	for _, name := range names {
		if f.onDisk && name != "" && !fs.ValidPath(name) {
			return invalid("This test double cannot keep %q in a folder.", name)
		}
	}
	return nil
}

// passOn leaves the request to the stock server.
func (f *front) passOn(w http.ResponseWriter, r *http.Request) error {
	f.stock.HTTPHandler().ServeHTTP(w, r)
	return nil
}

// locks holds one lock per object name.
type locks struct {
	mutex sync.Mutex
	held  map[string]*sync.Mutex
}

// lock waits for an object's lock and returns what gives it back.
func (l *locks) lock(bucket, object string) func() {
	l.mutex.Lock()
	if l.held == nil {
		l.held = map[string]*sync.Mutex{}
	}
	key := bucket + "/" + object
	lock := l.held[key]
	if lock == nil {
		lock = &sync.Mutex{}
		l.held[key] = lock
	}
	l.mutex.Unlock()
	lock.Lock()
	return lock.Unlock
}
