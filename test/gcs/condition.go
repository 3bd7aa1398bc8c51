package main

import (
	"net/url"
	"strconv"
)

// Without metadata updates, every object is in its first metageneration.
const metageneration = 1

// conditions are the preconditions of a request on one object.
type conditions struct {
	match, notMatch, metaMatch, metaNotMatch *int64
}

// readConditions takes the conditions of a query: "if" those on the object itself, "ifSource" those on a copy's source.
func readConditions(query url.Values, prefix string) (conditions, error) {
	var c conditions
	for name, into := range map[string]**int64{
		"GenerationMatch": &c.match, "GenerationNotMatch": &c.notMatch,
		"MetagenerationMatch": &c.metaMatch, "MetagenerationNotMatch": &c.metaNotMatch,
	} {
		text := query.Get(prefix + name)
		if text == "" {
			continue
		}
		value, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return c, invalid("Invalid value for %s%s: %q", prefix, name, text)
		}
		*into = &value
	}
	return c, nil
}

// met compares with the generation that is there, 0 where none is.
func (c conditions) met(generation int64) bool {
	return (c.match == nil || *c.match == generation) && (c.metaMatch == nil || generation != 0 && *c.metaMatch == metageneration)
}

// differs is the other half: the conditions that the generation is not the one that the client knows.
func (c conditions) differs(generation int64) bool {
	return (c.notMatch == nil || *c.notMatch != generation) && (c.metaNotMatch == nil || generation == 0 || *c.metaNotMatch != metageneration)
}

// checkWrite compares with the generation that a write would replace, 0 where none is.
func (c conditions) checkWrite(generation int64) error {
	if !c.met(generation) || !c.differs(generation) {
		return conditionNotMet
	}
	return nil
}

// checkRead compares with the generation that is read.
func (c conditions) checkRead(generation int64) error {
	if !c.met(generation) {
		return conditionNotMet
	}
	if !c.differs(generation) {
		return notModified
	}
	return nil
}
