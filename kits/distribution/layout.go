package distribution

import (
	"context"
	"path"
	"strings"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// Where a registry keeps its tree, and what it calls the parts that matter here.
const (
	blobsRoot        = "/docker/registry/v2/blobs"
	repositoriesRoot = "/docker/registry/v2/repositories"
	layersName       = "_layers"
	manifestsName    = "_manifests"
	revisionsName    = "revisions"
	tagsName         = "tags"
	indexName        = "index"
)

// The order in which to walk below a path.
//
// Paging of tags and of the catalogue needs the order of the tree, which costs an object store one list for each directory. Where
// only blobs and links to blobs lie, nobody pages and there may be a directory for each of millions of them: the order of keys
// costs one list for each thousand.
func orderOf(from string) protocol.WalkOrder {
	if protocol.IsWithin(from, blobsRoot) || isLinks(from) {
		return protocol.KeyOrder
	}
	return protocol.TreeOrder
}

// Whether only links to blobs lie below: those of a repository's layers, of its manifests' revisions, or of what a tag once was.
func isLinks(from string) bool {
	if !protocol.IsBelow(from, repositoriesRoot) {
		return false
	}
	names := strings.Split(from, "/")
	for at, name := range names {
		switch {
		case name == layersName:
			return true
		case name != manifestsName:
			continue
		case at+1 < len(names) && names[at+1] == revisionsName,
			at+3 < len(names) && names[at+1] == tagsName && names[at+3] == indexName:
			return true
		}
	}
	return false
}

// Whether a walk of a directory that is not there is a walk of nothing. A driver of ours leaves no empty directory behind, as
// Distribution's filesystem does, and the garbage collector takes a missing one of these for a failure; Distribution's s3 driver
// gives it nothing as well.
func mayBeMissing(from string) bool {
	return from == blobsRoot || from == repositoriesRoot ||
		protocol.IsBelow(from, repositoriesRoot) && path.Base(from) == layersName
}

// Whether the path is that of the tags of a repository which is there and has none. There is no directory of tags then, but the
// registry takes a missing one for a missing repository.
func (d *driver) isEmptyTags(ctx context.Context, tags string) bool {
	manifests := path.Dir(tags)
	if !protocol.IsBelow(tags, repositoriesRoot) || path.Base(tags) != tagsName || path.Base(manifests) != manifestsName {
		return false
	}
	info, err := d.Stat(ctx, manifests)
	return err == nil && info.IsDir()
}

// The place that a walk with Distribution's hint starts after; empty: from the start.
//
// The hints of the catalogue and of tags name a directory in which nothing of the next page can be: all of it is passed over.
// Any other hint is passed over itself, and what lies below it comes, as Distribution's own drivers do.
func startAfter(from, hint string, order protocol.WalkOrder) string {
	if hint == "" || hint == "/" || hint == from {
		return ""
	}
	parent := path.Dir(hint)
	isTag := path.Base(parent) == tagsName && path.Base(path.Dir(parent)) == manifestsName
	switch {
	case protocol.IsBelow(hint, repositoriesRoot) && (path.Base(hint) == manifestsName || isTag):
		return protocol.AfterSubtree(hint).String()
	case order == protocol.TreeOrder:
		return protocol.WalkKey{Path: hint, IsDir: true}.String()
	}
	return hint
}
