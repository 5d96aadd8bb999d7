//go:build conformance

package distribution

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
)

// A registry of this process over a section.
func serve(t *testing.T, section map[string]any) *httptest.Server {
	t.Helper()
	config := &configuration.Configuration{Storage: configuration.Storage{
		Name:          section,
		"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
	}}
	config.Catalog.MaxEntries = 1000
	config.HTTP.Secret = "not secret"
	server := httptest.NewServer(handlers.NewApp(context.Background(), config))
	t.Cleanup(server.Close)
	return server
}

// All pages of a listing, followed by their links.
func pages(t *testing.T, server *httptest.Server, at, field string) []string {
	t.Helper()
	var all []string
	for at != "" {
		reply, err := http.Get(server.URL + at)
		if err != nil {
			t.Fatal(err)
		}
		var page map[string]any
		err = json.NewDecoder(reply.Body).Decode(&page)
		_ = reply.Body.Close()
		if err != nil || reply.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s: %v", at, reply.Status, err)
		}
		names, _ := page[field].([]any)
		for _, name := range names {
			all = append(all, fmt.Sprint(name))
		}
		if len(all) > 10_000 {
			t.Fatalf("%s goes on for ever", at)
		}
		link, _, _ := strings.Cut(strings.TrimPrefix(reply.Header.Get("Link"), "<"), ">")
		at = strings.TrimPrefix(link, server.URL)
	}
	return all
}

// For every repository and page size, tags and catalogue come each exactly once.
func TestEveryNameComesOnOnePage(t *testing.T) {
	for name, section := range map[string]map[string]any{"filesystem": sectionOfFiles(t), "s3": sectionOnCeph(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := opened(t, section)
			repositories := map[string][]string{}
			for _, file := range writeTree(t, made) {
				if repository, _, is := strings.Cut(strings.TrimPrefix(file, repositoriesRoot+"/"), "/"+manifestsName+"/"); is {
					repositories[repository] = append(repositories[repository], file)
				}
			}
			server := serve(t, section)
			count := 0
			for _, size := range []int{1, 3, 10} {
				var expected []string
				for repository, files := range repositories {
					expected = append(expected, repository)
					tags := tagsOf(files)
					count += len(tags)
					got := pages(t, server, fmt.Sprintf("/v2/%s/tags/list?n=%d", repository, size), "tags")
					if !slices.Equal(got, tags) {
						t.Errorf("the tags of %s by %d: %q, not %q", repository, size, got, tags)
					}
				}
				got := pages(t, server, fmt.Sprintf("/v2/_catalog?n=%d", size), "repositories")
				slices.Sort(got)
				slices.Sort(expected)
				if !slices.Equal(got, expected) {
					t.Errorf("the catalogue by %d: %q, not %q", size, got, expected)
				}
			}
			if len(repositories) < 10 || count < 3*len(repositories) {
				t.Errorf("only %d repositories with %d tags", len(repositories), count/3)
			}
		})
	}
}

// The tags of a repository by its files, sorted.
func tagsOf(files []string) []string {
	var tags []string
	for _, file := range files {
		if tag, is := strings.CutSuffix(file, "/current/link"); is {
			tags = append(tags, path.Base(tag))
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
