package storagedriver

import (
	"context"
	"testing"
)

// A driver that can only list, and keeps what was listed.
type lister struct {
	Driver
	listed []string
}

func (l *lister) List(_ context.Context, path string) ([]FileInfo, error) {
	l.listed = append(l.listed, path)
	if path == "/" {
		return []FileInfo{{Path: "/a", Kind: Directory}, {Path: "/b", Kind: Directory}}, nil
	}
	return nil, nil
}

func TestADirectoryThatIsSkippedAtOnceIsNotListed(t *testing.T) {
	driver := &lister{}
	walk, err := newListWalk(t.Context(), driver, "/", WalkOptions{Order: KeyOrder})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := walk.Next(t.Context())
	walk.Skip("/a")
	second, _ := walk.Next(t.Context())
	if first.Path != "/a" || second.Path != "/b" || len(driver.listed) != 1 {
		t.Error(first, second, driver.listed)
	}
}
