package protocol

import (
	"cmp"
	"strings"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
)

// WalkOrder is the order in which a walk yields entries.
type WalkOrder int32

// The orders of a walk.
const (
	// KeyOrder is by bytes of the keys, a directory's key ending in `/`: `/a-b`, `/a/`, `/a/x`, `/a0`.
	KeyOrder = WalkOrder(driverpb.WalkOrder_WALK_ORDER_KEY)
	// TreeOrder gives the children of each directory by name, depth first: `/a/`, `/a/x`, `/a-b`, `/a0`.
	TreeOrder = WalkOrder(driverpb.WalkOrder_WALK_ORDER_TREE)
)

// WalkKey is a place in a walk: of a file, of a directory, or just after everything below a path.
type WalkKey struct {
	Path string
	// IsDir: the place of the directory, which is before everything below it.
	IsDir bool
	// IsEnd: the place after everything below the path.
	IsEnd bool
}

// AfterSubtree is the place just after everything below a path.
func AfterSubtree(path string) WalkKey {
	return WalkKey{Path: path, IsEnd: true}
}

// ParseWalkKey reads the text of a place: a path, with `/` behind it for the directory and `/~` for the end of everything
// below it. The error is InvalidPath.
func ParseWalkKey(text string) (WalkKey, error) {
	key := WalkKey{Path: text}
	if above, ok := strings.CutSuffix(text, "/~"); ok {
		key = WalkKey{Path: above, IsEnd: true}
	} else if above, ok := strings.CutSuffix(text, "/"); ok {
		key = WalkKey{Path: above, IsDir: true}
	}
	if key.Path == "" && text != "" {
		key.Path = "/"
		return key, nil
	}
	if key.Path == "/" {
		return key, Errorf(InvalidPath, text, "a component is empty")
	}
	return key, CheckPath(key.Path)
}

// String is the text that ParseWalkKey reads. `~` sorts after every character that a path can have.
func (k WalkKey) String() string {
	directory := k.Path
	if directory != "/" {
		directory += "/"
	}
	switch {
	case k.IsEnd:
		return directory + "~"
	case k.IsDir:
		return directory
	}
	return k.Path
}

// Compare compares two places in an order: negative if this one comes first.
func (k WalkKey) Compare(other WalkKey, order WalkOrder) int {
	a, b := k.String(), other.String()
	if order != TreeOrder {
		return strings.Compare(a, b)
	}
	// The separator before every other character makes it component by component.
	for at := range min(len(a), len(b)) {
		if a[at] == b[at] {
			continue
		}
		if a[at] == '/' || b[at] != '/' && a[at] < b[at] {
			return -1
		}
		return 1
	}
	return cmp.Compare(len(a), len(b))
}
