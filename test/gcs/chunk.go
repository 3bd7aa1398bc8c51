package main

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
)

var superseded = &problem{http.StatusServiceUnavailable, "backendError", "A newer request of the same upload session took over."}

// contentRange is what a request of a session says of its body.
type contentRange struct {
	query bool  // no body: "bytes */*" or "bytes */total"
	start int64 // of its first byte
	end   int64 // after its last byte, -1 if it says "*": the body goes to the end of the object
	total int64 // of the object, -1 if it says "*"
}

var contentRangePattern = regexp.MustCompile(`^bytes (?:(\*)|(\d+)-(\d+|\*))/(\d+|\*)$`)

// readContentRange takes the Content-Range of a request; without one, the body is the whole object.
func readContentRange(r *http.Request) (contentRange, error) {
	header := r.Header.Get("Content-Range")
	if header == "" {
		return contentRange{end: -1, total: -1}, nil
	}
	match := contentRangePattern.FindStringSubmatch(header)
	if match == nil {
		return contentRange{}, invalid("Failed to parse Content-Range header: %q", header)
	}
	c := contentRange{query: match[1] == "*", start: orUnknown(match[2]), end: orUnknown(match[3]), total: orUnknown(match[4])}
	if c.end >= 0 {
		c.end++
	}
	if c.query {
		return c, nil
	}
	if c.end >= 0 && (c.end <= c.start || c.total >= 0 && c.end > c.total) {
		return c, invalid("Failed to parse Content-Range header: %q", header)
	}
	if c.end >= 0 && r.ContentLength >= 0 && r.ContentLength != c.end-c.start {
		return c, invalid("Content-Range %q does not fit a body of %d bytes.", header, r.ContentLength)
	}
	return c, nil
}

func orUnknown(digits string) int64 {
	if value, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return value
	}
	return -1
}

// last says whether the body goes to the end of the object.
func (c contentRange) last() bool {
	return !c.query && (c.end < 0 || c.end == c.total)
}

// endsAt says whether a session that has stored so many bytes is complete.
func (c contentRange) endsAt(stored int64) bool {
	if c.total >= 0 {
		return stored == c.total
	}
	return c.last()
}

// begin ends what is still under way in the session. The object is there once the upload is complete.
func (s *session) begin(chunk contentRange) (turn int, object map[string]any, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.cancelled {
		return 0, nil, cancelled
	}
	if s.object == nil {
		s.turn++
		if chunk.start > s.stored {
			err = &problem{http.StatusServiceUnavailable, "backendError",
				"Invalid request. According to the Content-Range header, the upload offset is " + strconv.FormatInt(chunk.start, 10) +
					" byte(s), which exceeds already uploaded size of " + strconv.FormatInt(s.stored, 10) + " byte(s)."}
		}
	}
	return s.turn, s.object, err
}

// take stores a body: what is stored already is skipped, what breaks off or is not the last chunk is cut to whole blocks.
func (s *session) take(chunk contentRange, body io.Reader, turn int) error {
	s.mutex.Lock()
	skip := s.stored - chunk.start
	s.mutex.Unlock()
	if _, err := io.CopyN(io.Discard, body, skip); err != nil && !errors.Is(err, io.EOF) {
		return invalid("The request body broke off: %v", err)
	}
	block := make([]byte, blockBytes)
	for filled := 0; ; {
		n, err := body.Read(block[filled:])
		filled += n
		if filled == blockBytes || errors.Is(err, io.EOF) && chunk.last() {
			if err := s.append(block[:filled], turn); err != nil {
				return err
			}
			filled = 0
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return invalid("The request body broke off: %v", err)
		}
	}
}

// append stores bytes, unless a newer request of the session took over.
func (s *session) append(bytes []byte, turn int) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.turn != turn {
		return superseded
	}
	if _, err := s.file.WriteAt(bytes, s.stored); err != nil {
		return err
	}
	s.stored += int64(len(bytes))
	return nil
}
