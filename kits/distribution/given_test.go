//go:build conformance

package distribution

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The tests of this build tag need what `cargo xtask conformance distribution` makes; without it they fail.
const (
	// The directory of the drivers' executables.
	driversVariable = "STORAGEDRIVER_TEST_DRIVERS"
	// The storage on Ceph: `{"driver": "s3", "parameters": {…}}`.
	storageVariable = "STORAGEDRIVER_CONFORMANCE_STORAGE"
	// The registry of cmd/registry.
	registryVariable = "STORAGEDRIVER_TEST_REGISTRY"
	// crane.
	clientVariable = "STORAGEDRIVER_TEST_CLIENT"
	// A tree that Distribution's registry wrote.
	treeVariable = "STORAGEDRIVER_TEST_TREE"
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
	maps.Copy(section, parameters)
	return section
}

func sectionOfFiles(t *testing.T) map[string]any {
	t.Helper()
	return sectionOf(t, "filesystem", map[string]any{"rootdirectory": t.TempDir()})
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

func opened(t *testing.T, section map[string]any) *Driver {
	t.Helper()
	made, err := New(context.Background(), section)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made
}

// Writes the tree that a registry of Distribution's wrote, and gives its paths.
func writeTree(t *testing.T, made *Driver) []string {
	t.Helper()
	root := needed(t, treeVariable)
	var paths []string
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		path := filepath.ToSlash(strings.TrimPrefix(file, filepath.Clean(root)))
		paths = append(paths, path)
		return made.PutContent(context.Background(), path, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
