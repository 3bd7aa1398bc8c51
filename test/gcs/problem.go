package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// problem is an error as Cloud Storage reports it.
type problem struct {
	status  int
	reason  string
	message string
}

func (p *problem) Error() string { return p.message }

var (
	conditionNotMet = &problem{http.StatusPreconditionFailed, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."}
	notModified     = &problem{http.StatusNotModified, "notModified", "Not Modified"}
	notServed       = &problem{http.StatusNotImplemented, "notImplemented", "This test double of Cloud Storage does not serve this request."}
	noUpload        = &problem{http.StatusNotFound, "notFound", "No such upload session."}
	cancelled       = &problem{499, "cancelled", "The upload was cancelled."}
)

func invalid(format string, values ...any) *problem {
	return &problem{http.StatusBadRequest, "invalid", fmt.Sprintf(format, values...)}
}

func noObject(bucket, object string) *problem {
	return &problem{http.StatusNotFound, "notFound", fmt.Sprintf("No such object: %s/%s", bucket, object)}
}

func noBucket() *problem {
	return &problem{http.StatusNotFound, "notFound", "The specified bucket does not exist."}
}

func denied(permission, bucket, object string) *problem {
	return &problem{http.StatusForbidden, "forbidden", fmt.Sprintf(
		"The test account does not have %s access to the Google Cloud Storage object. Permission '%s' denied on resource 'projects/_/buckets/%s/objects/%s' (or it may not exist).",
		permission, permission, bucket, object)}
}

// drainBytes is how much of a refused body is still read, so that the client gets the answer and not a reset.
const drainBytes = 64 << 20

// refuse answers with an error: JSON, or plain text where media was asked for.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *problem
	if !errors.As(err, &known) {
		known = &problem{http.StatusInternalServerError, "internalError", err.Error()}
	}
	_, _ = io.CopyN(io.Discard, r.Body, drainBytes)
	if known.status == http.StatusNotModified {
		w.WriteHeader(known.status)
		return
	}
	if r.URL.Query().Get("alt") == "media" {
		http.Error(w, known.message, known.status)
		return
	}
	detail := map[string]any{"message": known.message, "domain": "global", "reason": known.reason}
	if known == conditionNotMet {
		detail["locationType"], detail["location"] = "header", "If-Match"
	}
	answer(w, known.status, map[string]any{"error": map[string]any{
		"code": known.status, "message": known.message, "errors": []any{detail},
	}})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
