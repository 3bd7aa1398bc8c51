package main

import "net/http"

// deleteObject removes an object: the generation that is asked for, if the conditions hold.
func (f *front) deleteObject(w http.ResponseWriter, r *http.Request) error {
	bucket, object := r.PathValue("bucket"), r.PathValue("object")
	c, err := readConditions(r.URL.Query(), "if")
	if err != nil {
		return err
	}
	wanted, err := readGeneration(r.URL.Query(), "generation")
	if err != nil {
		return err
	}
	if f.denyWrite.startsAny(object) {
		return denied("storage.objects.delete", bucket, object)
	}
	defer f.locks.lock(bucket, object)()
	there := f.generation(bucket, object)
	if there == 0 || wanted != 0 && wanted != there {
		return noObject(bucket, object)
	}
	if err := c.checkWrite(there); err != nil {
		return err
	}
	if err := f.stock.Backend().DeleteObject(bucket, object); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
