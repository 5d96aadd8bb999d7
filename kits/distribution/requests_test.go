//go:build conformance

package distribution

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// Stands between a driver and its store, and counts.
type counter struct {
	mu    sync.Mutex
	lists int
	other []string
}

func (c *counter) note(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method == http.MethodGet && r.URL.Query().Has("list-type") {
		c.lists++
	} else {
		c.other = append(c.other, r.Method+" "+r.URL.Path)
	}
}

// How many lists there were since the last time, and what else.
func (c *counter) take() (int, []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lists, other := c.lists, c.other
	c.lists, c.other = 0, nil
	return lists, other
}

// The section of the storage on Ceph, with its requests counted.
func countedOnCeph(t *testing.T) (map[string]any, *counter) {
	t.Helper()
	section := sectionOnCeph(t)
	store, err := url.Parse(section["regionendpoint"].(string))
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{}
	// The request's own host stays: it is signed.
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = store.Scheme, store.Host, r.In.Host
		c.note(r.In)
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	section["regionendpoint"] = server.URL
	return section, c
}

// What only holds blobs costs an object store a list for each thousand, and not one for each directory.
func TestWalksOfBlobsAreFlat(t *testing.T) {
	section, requests := countedOnCeph(t)
	made := opened(t, section)
	writeTree(t, made)
	repository := repositoriesRoot + "/team/app"
	for _, from := range []string{blobsRoot, repository + "/_layers", repository + "/_manifests/revisions"} {
		requests.take()
		directories, files := 0, 0
		err := made.Walk(context.Background(), from, func(info storagedriver.FileInfo) error {
			if info.IsDir() {
				directories++
			} else {
				files++
			}
			return nil
		})
		lists, other := requests.take()
		t.Logf("%s: %d directories, %d files: %d lists", from, directories, files, lists)
		if err != nil || lists > 1 || len(other) > 0 || directories < 5 || files < 4 {
			t.Errorf("%s: %d directories and %d files by %d lists and %q: %v", from, directories, files, lists, other, err)
		}
	}
}

// A page costs lists by what is on it, and not by what is in the registry.
func TestAPageIsCheap(t *testing.T) {
	section, requests := countedOnCeph(t)
	made := opened(t, section)
	writeTree(t, made)
	server := serve(t, section)
	for at, most := range map[string]int{
		"/v2/team/app/tags/list?n=3":           1,
		"/v2/team/app/tags/list?n=3&last=v1":   1,
		"/v2/_catalog?n=3":                     5,
		"/v2/_catalog?n=3&last=bulk/repo-05":   6,
		"/v2/_catalog?n=1000&last=team/zzzzzz": 2,
	} {
		requests.take()
		reply, err := http.Get(server.URL + at)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		lists, other := requests.take()
		t.Logf("%s: %d lists, %d others", at, lists, len(other))
		if reply.StatusCode != http.StatusOK || lists > most || len(other) > 0 {
			t.Errorf("%s: %s: %d lists, %q", at, reply.Status, lists, other)
		}
	}
}
