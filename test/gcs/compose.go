package main

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// maxSources is how many objects one composition takes.
const maxSources = 32

// resource is what clients may set of an object.
type resource struct {
	Name               string            `json:"name"`
	ContentType        string            `json:"contentType"`
	ContentEncoding    string            `json:"contentEncoding"`
	ContentDisposition string            `json:"contentDisposition"`
	ContentLanguage    string            `json:"contentLanguage"`
	CacheControl       string            `json:"cacheControl"`
	StorageClass       string            `json:"storageClass"`
	Crc32c             string            `json:"crc32c"`
	Md5Hash            string            `json:"md5Hash"`
	Metadata           map[string]string `json:"metadata"`
}

func (m resource) attrs(bucket, object string) fakestorage.ObjectAttrs {
	return fakestorage.ObjectAttrs{
		BucketName: bucket, Name: object, ContentType: m.ContentType, ContentEncoding: m.ContentEncoding,
		ContentDisposition: m.ContentDisposition, ContentLanguage: m.ContentLanguage, CacheControl: m.CacheControl,
		StorageClass: m.StorageClass, Metadata: m.Metadata,
	}
}

// number is an integer that clients send as a number or as a string.
type number int64

func (n *number) UnmarshalJSON(encoded []byte) error {
	value, err := strconv.ParseInt(strings.Trim(string(encoded), `"`), 10, 64)
	*n = number(value)
	return err
}

type composition struct {
	Destination   resource `json:"destination"`
	SourceObjects []struct {
		Name                string `json:"name"`
		Generation          number `json:"generation"`
		ObjectPreconditions struct {
			IfGenerationMatch *number `json:"ifGenerationMatch"`
		} `json:"objectPreconditions"`
	} `json:"sourceObjects"`
}

// compose makes one object of up to 32 others.
func (f *front) compose(w http.ResponseWriter, r *http.Request) error {
	bucket, object := r.PathValue("bucket"), r.PathValue("object")
	c, err := readConditions(r.URL.Query(), "if")
	if err != nil {
		return err
	}
	var asked composition
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return invalid("Parse error: %v", err)
	}
	if len(asked.SourceObjects) < 1 || len(asked.SourceObjects) > maxSources {
		return invalid("The number of source components provided (%d) must be 1 to %d", len(asked.SourceObjects), maxSources)
	}
	sources, err := f.openSources(bucket, asked)
	defer closeAll(sources)
	if err != nil {
		return err
	}
	attrs := asked.Destination.attrs(bucket, object)
	if attrs.StorageClass == "" {
		attrs.StorageClass = sources[0].StorageClass
	}
	attrs.Metadata = withComponents(attrs.Metadata, sources)
	readers := make([]io.Reader, len(sources))
	for i := range sources {
		readers[i] = sources[i].Content
	}
	description, err := f.create(r, attrs, sequential{io.MultiReader(readers...)}, c)
	if err == nil {
		answer(w, http.StatusOK, description)
	}
	return err
}

// openSources opens all sources of a composition at once; what it opened is the caller's to close, error or not.
func (f *front) openSources(bucket string, asked composition) ([]source, error) {
	var sources []source
	for _, part := range asked.SourceObjects {
		if err := f.checkNames(part.Name); err != nil {
			return sources, err
		}
		found, err := f.open(bucket, part.Name, int64(part.Generation))
		if err != nil {
			return sources, err
		}
		sources = append(sources, found)
		match := part.ObjectPreconditions.IfGenerationMatch
		if match != nil && int64(*match) != found.Generation {
			return sources, conditionNotMet
		}
	}
	return sources, nil
}

func closeAll(sources []source) {
	for i := range sources {
		_ = sources[i].Close()
	}
}

// withComponents adds the number of objects that a composite was made of, those of its composite sources included.
func withComponents(metadata map[string]string, sources []source) map[string]string {
	total := 0
	for i := range sources {
		count, err := strconv.Atoi(sources[i].Metadata[componentKey])
		if err != nil {
			count = 1
		}
		total += count
	}
	result := map[string]string{}
	maps.Copy(result, metadata)
	result[componentKey] = strconv.Itoa(total)
	return result
}

// sequential is content that is read once from its start, which is all that the stock server does with it.
type sequential struct{ io.Reader }

func (sequential) Seek(int64, int) (int64, error) { return 0, errors.ErrUnsupported }
func (sequential) Close() error                   { return nil }
