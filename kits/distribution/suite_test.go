//go:build conformance

package distribution

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/testsuites"
)

// The tests of this build tag need what `cargo xtask conformance distribution` makes; without it they fail.
const (
	// The directory of the drivers' executables.
	driversVariable = "STORAGEDRIVER_TEST_DRIVERS"
	// The storage on Ceph: `{"driver": "s3", "parameters": {…}}`.
	storageVariable = "STORAGEDRIVER_CONFORMANCE_STORAGE"
)

func needed(t *testing.T, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		t.Fatalf("%s is not set: run `cargo xtask conformance distribution`", variable)
	}
	return value
}

// A section that starts an executable of the workspace.
func sectionOf(t *testing.T, driver string, parameters map[string]any) map[string]any {
	t.Helper()
	section := map[string]any{
		"driver": driver,
		"path":   filepath.Join(needed(t, driversVariable), executablePrefix+driver),
	}
	for name, value := range parameters {
		section[name] = value
	}
	return section
}

// The section of the storage on Ceph, below a root of its own.
func sectionOnCeph(t *testing.T) map[string]any {
	t.Helper()
	var given struct{ Parameters map[string]any }
	if err := json.Unmarshal([]byte(needed(t, storageVariable)), &given); err != nil {
		t.Fatal(err)
	}
	given.Parameters["rootdirectory"] = fmt.Sprintf("go-%d-%d", os.Getpid(), time.Now().UnixNano())
	return sectionOf(t, "s3", given.Parameters)
}

func runSuite(t *testing.T, section map[string]any) {
	t.Parallel()
	made, err := New(context.Background(), section)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	testsuites.Driver(t, func() (storagedriver.StorageDriver, error) { return made, nil }, false)
}

// Distribution's own suite.

func TestSuiteInMemory(t *testing.T) {
	runSuite(t, sectionOf(t, "inmemory", nil))
}

func TestSuiteFilesystem(t *testing.T) {
	runSuite(t, sectionOf(t, "filesystem", map[string]any{"rootdirectory": t.TempDir()}))
}

func TestSuiteS3(t *testing.T) {
	runSuite(t, sectionOnCeph(t))
}
