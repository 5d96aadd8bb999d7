package distribution

import (
	"testing"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

func TestOnlyBlobsAndLinksAreWalkedByKeys(t *testing.T) {
	flat := []string{
		blobsRoot,
		blobsRoot + "/sha256",
		repositoriesRoot + "/team/app/_layers",
		repositoriesRoot + "/team/app/_layers/sha256",
		repositoriesRoot + "/team/app/_manifests/revisions",
		repositoriesRoot + "/team/app/_manifests/tags/v1/index",
	}
	tree := []string{
		"/",
		"/docker/registry/v2",
		"/docker/registry/v2/blobs2",
		repositoriesRoot,
		repositoriesRoot + "/revisions",
		repositoriesRoot + "/team/app/_manifests",
		repositoriesRoot + "/team/app/_manifests/tags",
		repositoriesRoot + "/team/app/_manifests/tags/index",
		repositoriesRoot + "/team/app/_uploads",
		"/elsewhere/_layers",
	}
	for _, from := range flat {
		if orderOf(from) != protocol.KeyOrder {
			t.Errorf("%s is walked by the tree", from)
		}
	}
	for _, from := range tree {
		if orderOf(from) != protocol.TreeOrder {
			t.Errorf("%s is walked by keys", from)
		}
	}
}

func TestTheHintsOfThePagesPassOverWhatTheyName(t *testing.T) {
	tags := repositoriesRoot + "/team/app/_manifests/tags"
	cases := []struct{ from, hint, after string }{
		{repositoriesRoot, "", ""},
		{repositoriesRoot, repositoriesRoot, ""},
		{repositoriesRoot, repositoriesRoot + "/team/app/_manifests", repositoriesRoot + "/team/app/_manifests/~"},
		{tags, tags + "/v1", tags + "/v1/~"},
		{"/a", "/a/b", "/a/b/"},
		{"/a", "/", ""},
		{blobsRoot, blobsRoot + "/sha256/aa", blobsRoot + "/sha256/aa"},
	}
	for _, c := range cases {
		if after := startAfter(c.from, c.hint, orderOf(c.from)); after != c.after {
			t.Errorf("%s after %s: %s", c.from, c.hint, after)
		}
	}
}

func TestOnlySomeDirectoriesMayBeMissing(t *testing.T) {
	for from, may := range map[string]bool{
		blobsRoot: true, repositoriesRoot: true, repositoriesRoot + "/a/_layers": true,
		repositoriesRoot + "/a/_manifests/tags": false, "/": false, "/a/_layers": false, blobsRoot + "/sha256": false,
	} {
		if mayBeMissing(from) != may {
			t.Errorf("%s: %t", from, !may)
		}
	}
}
