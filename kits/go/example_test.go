package storagedriver_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
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
		return nil, storagedriver.NotFound(at)
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

// An executable `registry-storage-files`: this is its main.
func Example() {
	storagedriver.Serve("files", "1.0.0", open)
}
