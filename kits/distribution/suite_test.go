//go:build conformance

package distribution

import (
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/testsuites"
)

// Distribution's own suite.
func TestSuite(t *testing.T) {
	sections := map[string]map[string]any{
		"inmemory":   sectionOf(t, "inmemory", nil),
		"filesystem": sectionOfFiles(t),
		"s3":         sectionOnCeph(t),
	}
	for name, section := range sections {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := opened(t, section)
			testsuites.Driver(t, func() (storagedriver.StorageDriver, error) { return made, nil }, false)
		})
	}
}
