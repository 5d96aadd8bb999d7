package distribution

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestASectionIsTheHostsAndTheDrivers(t *testing.T) {
	s, err := parseSettings(map[string]any{
		"driver": "s3", "path": "/bin/x", "starttimeout": "1m", "timeout": "2s", "bucket": "b", "chunksize": 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(s.parameters))
	if s.driver != "s3" || s.path != "/bin/x" || s.startTimeout != time.Minute || s.timeout != 2*time.Second ||
		!slices.Equal(names, []string{"bucket", "chunksize"}) {
		t.Errorf("%+v", s)
	}
	// With `parameters` a driver can have parameters of the host's names. YAML gives maps of any keys.
	s, err = parseSettings(map[string]any{"driver": "x", "parameters": map[any]any{"path": "/data", "timeout": 0}})
	if err != nil || s.path != "" || s.parameters["path"] != "/data" || s.startTimeout != defaultStartTimeout || s.timeout != 0 {
		t.Errorf("%+v: %v", s, err)
	}
}

func TestAWrongSectionSaysWhatIsWrong(t *testing.T) {
	cases := []struct {
		section map[string]any
		says    string
	}{
		{nil, `parameter "driver": is missing`},
		{map[string]any{"driver": 5}, `parameter "driver": must be text`},
		{map[string]any{"driver": "../x"}, `parameter "driver": is no name`},
		{map[string]any{"driver": "x", "starttimeout": 30}, `parameter "starttimeout": has no unit`},
		{map[string]any{"driver": "x", "starttimeout": "soon"}, `parameter "starttimeout": is no duration`},
		{map[string]any{"driver": "x", "starttimeout": 0}, `parameter "starttimeout": must be from 1s to 1h`},
		{map[string]any{"driver": "x", "timeout": "-1s"}, `parameter "timeout": must be from 0s to 24h`},
		{map[string]any{"driver": "x", "timeout": true}, `parameter "timeout": must be a duration`},
		{map[string]any{"path": "/x", "socket": "/y"}, `parameter "path": says what to start`},
		{map[string]any{"socket": "/y", "bucket": "b"}, `parameter "bucket": would have no effect`},
		{map[string]any{"driver": "x", "bucket": "b", "parameters": map[string]any{}}, `parameter "bucket": stands beside`},
		{map[string]any{"driver": "x", "parameters": "b"}, `parameter "parameters": must be a map`},
		{map[string]any{"driver": "x", "parameters": map[any]any{1: "b"}}, `parameter "parameters": has a name that is no text`},
	}
	for _, c := range cases {
		if _, err := parseSettings(c.section); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.section, err)
		}
	}
}

func TestSecretsAreFoundByTheirNames(t *testing.T) {
	hidden := secretsOf(map[string]any{
		"SecretKey":     "sesame-street",
		"rootdirectory": "/srv/registry",
		"accesskey":     "short",
		"credentials":   map[any]any{"private": "-----BEGIN-----\nabcdefgh\n", "list": []any{"list-entry"}},
	})
	line := hidden.hide("at /srv/registry with sesame-street, short, abcdefgh and list-entry")
	if line != "at /srv/registry with <redacted>, short, <redacted> and <redacted>" {
		t.Error(line)
	}
}

func TestTheFirstExecutableOnThePathIsTaken(t *testing.T) {
	root := t.TempDir()
	place := func(directory, name string, mode os.FileMode) string {
		path := filepath.Join(root, directory, executablePrefix+name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	place("a", "foo", 0o644)
	second := place("b", "foo", 0o755)
	place("c", "foo", 0o755)
	place("a", "bar", 0o644)
	if err := os.Mkdir(filepath.Join(root, "b", executablePrefix+"directory"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	t.Setenv("PATH", strings.Join([]string{"c", root + "/a", root + "/b", root + "/c"}, string(filepath.ListSeparator)))
	if found, err := findExecutable("foo", ""); err != nil || found != second {
		t.Errorf("%s: %v", found, err)
	}
	for name, says := range map[string]string{"bar": "chmod", "directory": "is not a file", "none": "there is no registry-storage-none"} {
		if _, err := findExecutable(name, ""); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if found, err := findExecutable("foo", "c/"+executablePrefix+"foo"); err != nil || found != root+"/c/"+executablePrefix+"foo" {
		t.Errorf("%s: %v", found, err)
	}
}
