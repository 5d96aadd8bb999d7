//go:build conformance

package distribution

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// A random path of names that sort on both sides of `/`.
func somePath() string {
	names := []string{"a", "a-b", "a.c", "a0", "b", "0", "_u"}
	var text strings.Builder
	for range 1 + rand.IntN(4) {
		text.WriteString("/" + names[rand.IntN(len(names))])
	}
	return text.String()
}

// Writes random files of which none is a directory too, and gives their paths.
func writeFiles(t *testing.T, made *Driver, count int) []string {
	t.Helper()
	var files []string
	for range count {
		file := somePath()
		clash := func(other string) bool {
			return other == file || strings.HasPrefix(other, file+"/") || strings.HasPrefix(file, other+"/")
		}
		if slices.ContainsFunc(files, clash) {
			continue
		}
		if err := made.PutContent(context.Background(), file, []byte(file)); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

type walker func(ctx context.Context, path string, f storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error

// What a walk shows, with the directories skipped that `seed` chooses, and stopped after so many.
func walked(walk walker, from, hint string, seed uint64, most int) ([]string, error) {
	var seen []string
	err := walk(context.Background(), from, func(info storagedriver.FileInfo) error {
		seen = append(seen, fmt.Sprint(info.Path(), " ", info.IsDir(), " ", info.Size()))
		if len(seen) == most {
			return storagedriver.ErrFilledBuffer
		}
		hash := fnv.New64()
		fmt.Fprint(hash, info.Path(), seed)
		if seed != 0 && hash.Sum64()%3 == 0 {
			return storagedriver.ErrSkipDir
		}
		return nil
	}, storagedriver.WithStartAfterHint(hint))
	return seen, err
}

// The order of the tree is that of Distribution's fallback, hints and skips included.
func TestWalksAreThoseOfTheFallback(t *testing.T) {
	for name, section := range map[string]map[string]any{
		"inmemory": sectionOf(t, "inmemory", nil), "filesystem": sectionOfFiles(t), "s3": sectionOnCeph(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := opened(t, section)
			files := writeFiles(t, made, 60)
			for range 60 {
				from := "/"
				if rand.IntN(3) > 0 {
					from = path.Dir(files[rand.IntN(len(files))])
				}
				hint, most := "", 0
				switch rand.IntN(4) {
				case 0:
					hint = somePath()
				case 1:
					hint = files[rand.IntN(len(files))]
				case 2:
					// Not with a hint: the fallback goes on after it was stopped.
					most = 1 + rand.IntN(10)
				}
				seed := rand.Uint64N(3)
				fallback := func(ctx context.Context, path string, f storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
					return storagedriver.WalkFallback(ctx, made, path, f, options...)
				}
				expected, err := walked(fallback, from, hint, seed, most)
				if err != nil {
					t.Fatal(err)
				}
				got, err := walked(made.Walk, from, hint, seed, most)
				if err != nil || !slices.Equal(got, expected) {
					t.Fatalf("from %s after %q, skipping %d, at most %d: %v\n%q\nis not\n%q", from, hint, seed, most, err, got, expected)
				}
			}
			if err := made.Delete(context.Background(), "/"+strings.Split(files[0], "/")[1]); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAWalkEndsWithTheErrorOfItsFunction(t *testing.T) {
	made := opened(t, sectionOf(t, "inmemory", nil))
	writeFiles(t, made, 30)
	own := errors.New("my own")
	err := made.Walk(context.Background(), "/", func(storagedriver.FileInfo) error { return own })
	if known, is := err.(storagedriver.Error); !is || known.Detail != own {
		t.Error(err)
	}
	inner := storagedriver.PathNotFoundError{Path: "/x", DriverName: "inmemory"}
	err = made.Walk(context.Background(), "/", func(storagedriver.FileInfo) error { return inner })
	if err != inner {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := made.Walk(ctx, "/", func(storagedriver.FileInfo) error { cancel(); return nil }); err == nil {
		t.Error("a walk went on for nobody")
	}
}

// A driver of ours leaves no empty directory, and the registry makes something of a missing one.
func TestWhatIsEmptyIsNotMissing(t *testing.T) {
	ctx := context.Background()
	made := opened(t, sectionOfFiles(t))
	manifests := repositoriesRoot + "/team/app/" + manifestsName
	all := func(storagedriver.FileInfo) error { return errors.New("there is something") }
	for _, from := range []string{blobsRoot, repositoriesRoot, repositoriesRoot + "/team/app/" + layersName} {
		if err := made.Walk(ctx, from, all); err != nil {
			t.Errorf("%s: %v", from, err)
		}
	}
	tags := manifests + "/" + tagsName
	missing := storagedriver.PathNotFoundError{Path: tags, DriverName: "filesystem"}
	if _, err := made.List(ctx, tags); err != missing {
		t.Error(err)
	}
	if err := made.Walk(ctx, tags, all); err != missing {
		t.Error(err)
	}
	if err := made.PutContent(ctx, manifests+"/revisions/sha256/x/link", nil); err != nil {
		t.Fatal(err)
	}
	if children, err := made.List(ctx, tags); err != nil || len(children) > 0 {
		t.Errorf("%v: %v", children, err)
	}
	if err := made.Walk(ctx, tags, all); err != nil {
		t.Error(err)
	}
}
