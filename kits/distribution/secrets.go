package distribution

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// What the name of a secret parameter has in it. The drivers' own tables are not known here.
var secretNames = []string{"secret", "password", "passphrase", "token", "credential", "key", "auth"}

// Shorter texts are not looked for: they would be found in words.
const shortestSecret = 6

// The secrets among a driver's parameters, to be kept out of what its process writes.
type secrets []string

func secretsOf(parameters map[string]any) secrets {
	var found secrets
	for name, value := range parameters {
		found.take(reflect.ValueOf(value), isSecretName(name))
	}
	// One that is part of another goes last.
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return found
}

func isSecretName(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretNames, func(part string) bool { return strings.Contains(name, part) })
}

func (s *secrets) take(value reflect.Value, secret bool) {
	switch value.Kind() {
	case reflect.Interface, reflect.Pointer:
		s.take(value.Elem(), secret)
	case reflect.Map:
		for each := value.MapRange(); each.Next(); {
			s.take(each.Value(), secret || isSecretName(fmt.Sprint(each.Key())))
		}
	case reflect.Slice:
		for at := range value.Len() {
			s.take(value.Index(at), secret)
		}
	case reflect.String:
		if !secret {
			return
		}
		// Line by line, as a process writes lines.
		for line := range strings.Lines(value.String()) {
			if line = strings.TrimSpace(line); len(line) >= shortestSecret {
				*s = append(*s, line)
			}
		}
	}
}

// The line without them.
func (s secrets) hide(line string) string {
	for _, secret := range s {
		line = strings.ReplaceAll(line, secret, "<redacted>")
	}
	return line
}

// The error without them.
func (s secrets) hideIn(err error) error {
	if err == nil {
		return nil
	}
	if text := err.Error(); s.hide(text) != text {
		return errors.New(s.hide(text))
	}
	return err
}
