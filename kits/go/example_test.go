package storagedriver_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// A driver that serves a directory, and cannot write.
type files struct {
	storagedriver.ReadOnly
	tree fs.FS
}

func open(_ context.Context, parameters storagedriver.Parameters) (*files, error) {
	directory, err := parameters.RequiredText("rootdirectory")
	return &files{tree: os.DirFS(directory)}, errors.Join(err, parameters.Only("rootdirectory"))
}

func (f *files) Stat(_ context.Context, at string) (storagedriver.FileInfo, error) {
	found, err := fs.Stat(f.tree, path.Join(".", at[1:]))
	if errors.Is(err, fs.ErrNotExist) {
		return storagedriver.FileInfo{}, storagedriver.NotFound(at)
	}
	if err != nil || found.IsDir() {
		return storagedriver.FileInfo{Path: at, Kind: storagedriver.Directory}, err
	}
	size, modified := uint64(found.Size()), found.ModTime()
	return storagedriver.FileInfo{Path: at, Kind: storagedriver.File, Size: size, Modified: modified}, nil
}

func (f *files) List(ctx context.Context, at string) ([]storagedriver.FileInfo, error) {
	names, err := fs.Glob(f.tree, path.Join(".", at[1:], "*"))
	entries := make([]storagedriver.FileInfo, len(names))
	for number, name := range names {
		entries[number], err = f.Stat(ctx, "/"+name)
	}
	if here, failed := f.Stat(ctx, at); failed != nil || !here.IsDir() {
		return nil, storagedriver.NotFound(at)
	}
	return entries, err
}

func (f *files) GetContent(ctx context.Context, at string) ([]byte, error) {
	if here, err := f.Stat(ctx, at); err != nil || here.IsDir() {
		return nil, errors.Join(err, storagedriver.NotFound(at))
	}
	return fs.ReadFile(f.tree, at[1:])
}

func (f *files) Reader(ctx context.Context, at string, options storagedriver.ReadOptions) (*storagedriver.Content, error) {
	content, err := f.GetContent(ctx, at)
	if err != nil {
		return nil, err
	}
	return storagedriver.ContentOf(at, content, options)
}

func Example() {
	storagedriver.Serve("files", "1.0.0", open)
}

func TestTheDriverOfTheReadmeIsThisOne(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "```go\n")
	shown, _, _ = strings.Cut(shown, "```")
	if shown == "" || !strings.Contains(string(source), strings.Replace(shown, "func main()", "func Example()", 1)) {
		t.Error("the README shows another driver than example_test.go has")
	}
}

func TestTheDriverOfTheReadmeServesADirectory(t *testing.T) {
	place := t.TempDir()
	if err := os.MkdirAll(place+"/a/b", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(place+"/a/b/c", []byte("content"), 0o666); err != nil {
		t.Fatal(err)
	}
	client := unopened(t, storagedriver.NewServer("files", "1", open))
	parameters, _ := protocol.Values(map[string]any{"rootdirectory": place})
	if _, err := client.Open(t.Context(), &driverpb.OpenRequest{Parameters: parameters}); err != nil {
		t.Fatal(err)
	}
	keys, err := walkAll(t, client, &driverpb.WalkStart{Path: "/", Order: 1, Credit: 9})
	if err != nil || !slices.Equal(keys, []string{"/a/", "/a/b/", "/a/b/c"}) {
		t.Errorf("%v, %v", keys, err)
	}
	offset := &driverpb.ReadRequest{Path: "/a/b/c", Offset: 3}
	stream, err := client.Read(t.Context(), offset)
	if _, content, err := received(t, stream, err); err != nil || string(content) != "tent" {
		t.Errorf("%q, %v", content, err)
	}
	for _, path := range []string{"/a", "/none"} {
		stream, err := client.GetContent(t.Context(), &driverpb.GetContentRequest{Path: path})
		_, _, err = received(t, stream, err)
		wantKind(t, err, protocol.PathNotFound, path)
	}
	_, err = walkAll(t, client, &driverpb.WalkStart{Path: "/a/b/c", Order: 1})
	wantKind(t, err, protocol.PathNotFound)
	_, err = client.Delete(t.Context(), &driverpb.DeleteRequest{Path: "/a"})
	wantKind(t, err, protocol.Unsupported, "read-only")
	_, err = client.Rename(t.Context(), &driverpb.RenameRequest{From: "/a", To: "/b"})
	wantKind(t, err, protocol.Unsupported, "read-only")
}
