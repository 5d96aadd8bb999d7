package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"syscall"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

type driver struct {
	// The root directory: its name, and a handle that nothing leads out of.
	name string
	root *os.Root
	// The same directory, for its lock. Of this process one at a time has it.
	lock *os.File
	// Held for writing by a step that changes names, for reading by whoever looks: a step that has begun is over before
	// anybody sees what it does.
	names sync.RWMutex
	clock clock
	known synced
}

func open(_ context.Context, parameters storagedriver.Parameters) (*driver, error) {
	if err := parameters.Only("rootdirectory"); err != nil {
		return nil, err
	}
	name, err := parameters.RequiredText("rootdirectory")
	if err != nil {
		return nil, err
	}
	failed := func(err error) error {
		return fmt.Errorf("cannot use the root directory: %w", err)
	}
	if err := os.MkdirAll(name, 0o777); err != nil {
		return nil, failed(err)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, failed(err)
	}
	lock, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(failed(err), root.Close())
	}
	return &driver{name: name, root: root, lock: lock}, nil
}

// Close leaves the tree as other programs know it, if nothing is staged.
func (d *driver) Close() error {
	_ = d.exclusively(context.Background(), func() error { return d.root.Remove(staging) })
	return errors.Join(d.lock.Close(), d.root.Close())
}

func (d *driver) Guarantees() storagedriver.Guarantees {
	return storagedriver.Guarantees{}
}

// Runs a step that changes names, alone in all processes. One that was given up before does nothing; one that has begun is done.
func (d *driver) exclusively(ctx context.Context, step func() error) error {
	d.names.Lock()
	defer d.names.Unlock()
	if err := flock(d.lock, syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock the root directory: %w", err)
	}
	defer func() { _ = flock(d.lock, syscall.LOCK_UN) }()
	if err := ctx.Err(); err != nil {
		return err
	}
	return step()
}

func flock(file *os.File, how int) error {
	for {
		if err := syscall.Flock(int(file.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// The name of a path below the root.
func relative(path string) string {
	if path == "/" {
		return "."
	}
	return path[1:]
}

// Opens a file for reading, at one version of its content.
func (d *driver) open(path string) (*os.File, fs.FileInfo, error) {
	d.names.RLock()
	defer d.names.RUnlock()
	found, err := d.root.Lstat(relative(path))
	if err == nil && !found.Mode().IsRegular() {
		return nil, nil, storagedriver.NotFound(path)
	}
	if err != nil {
		return nil, nil, reading(path, "look at the file", err)
	}
	file, err := d.root.Open(relative(path))
	if err != nil {
		return nil, nil, reading(path, "open the file", err)
	}
	found, err = file.Stat()
	if err != nil {
		return nil, nil, errors.Join(reading(path, "look at the file", err), file.Close())
	}
	return file, found, nil
}

func (d *driver) GetContent(_ context.Context, path string) ([]byte, error) {
	file, found, err := d.open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content := make([]byte, found.Size())
	if _, err := io.ReadFull(file, content); err != nil {
		return nil, reading(path, "read the content", err)
	}
	return content, nil
}

func (d *driver) Reader(_ context.Context, path string, options storagedriver.ReadOptions) (*storagedriver.Content, error) {
	file, found, err := d.open(path)
	if err != nil {
		return nil, err
	}
	size := uint64(found.Size())
	start, length, err := options.Range(path, size)
	held := version(found)
	if err == nil && options.Version != "" && options.Version != held {
		err = storagedriver.Errorf(storagedriver.Conflict, path, "the content has the version %s, and not the one asked for", held)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	body := &body{io.NewSectionReader(file, start, length), file}
	return &storagedriver.Content{Size: size, Version: held, Body: body}, nil
}

// A part of a file, which closes it.
type body struct {
	*io.SectionReader
	file *os.File
}

func (b *body) Close() error {
	return b.file.Close()
}

func (d *driver) Stat(_ context.Context, path string) (storagedriver.FileInfo, error) {
	if path == "/" {
		return d.health()
	}
	d.names.RLock()
	defer d.names.RUnlock()
	found, err := d.root.Lstat(relative(path))
	if err != nil {
		return storagedriver.FileInfo{}, reading(path, "look at the path", err)
	}
	info, ok := entry(path, found)
	if !ok {
		return info, storagedriver.NotFound(path)
	}
	return info, nil
}

// Whether the root directory is still where it was.
func (d *driver) health() (storagedriver.FileInfo, error) {
	there, err := os.Stat(d.name)
	if err != nil {
		return storagedriver.FileInfo{}, storagedriver.Errorf(storagedriver.Unavailable, "/", "look at the root directory: %w", err)
	}
	held, err := d.root.Stat(".")
	if err != nil || !os.SameFile(there, held) {
		return storagedriver.FileInfo{}, storagedriver.Errorf(storagedriver.Unavailable, "/", "another directory stands where the root directory was: start the driver again")
	}
	return storagedriver.FileInfo{Path: "/", Kind: storagedriver.Directory}, nil
}

func (d *driver) List(_ context.Context, directory string) ([]storagedriver.FileInfo, error) {
	d.names.RLock()
	defer d.names.RUnlock()
	found, err := d.root.Lstat(relative(directory))
	if err == nil && !found.IsDir() {
		return nil, storagedriver.NotFound(directory)
	}
	if err != nil {
		return nil, reading(directory, "look at the directory", err)
	}
	opened, err := d.root.OpenRoot(relative(directory))
	if err != nil {
		return nil, reading(directory, "open the directory", err)
	}
	defer func() { _ = opened.Close() }()
	names, err := namesIn(opened, ".")
	if err != nil {
		return nil, reading(directory, "list the directory", err)
	}
	var entries []storagedriver.FileInfo
	for _, name := range names {
		if !protocol.IsName(name) {
			continue
		}
		found, err := opened.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, reading(directory, "look at an entry", err)
		}
		if info, ok := entry(protocol.Child(directory, name), found); ok {
			entries = append(entries, info)
		}
	}
	return entries, nil
}

// The names in a directory.
func namesIn(root *os.Root, directory string) ([]string, error) {
	opened, err := root.OpenFile(directory, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	names, err := opened.Readdirnames(-1)
	return names, errors.Join(err, opened.Close())
}

// What is said about a file or a directory. What is neither is none.
func entry(path string, found fs.FileInfo) (storagedriver.FileInfo, bool) {
	switch {
	case found.IsDir():
		return storagedriver.FileInfo{Path: path, Kind: storagedriver.Directory}, true
	case found.Mode().IsRegular():
		return storagedriver.FileInfo{
			Path:     path,
			Kind:     storagedriver.File,
			Size:     uint64(found.Size()),
			Modified: found.ModTime(),
			Version:  version(found),
		}, true
	}
	return storagedriver.FileInfo{}, false
}

// Which content it is: inode, size and time. No process gives two files it publishes the same time.
func version(found fs.FileInfo) string {
	var inode uint64
	if system, ok := found.Sys().(*syscall.Stat_t); ok {
		inode = system.Ino
	}
	return fmt.Sprintf("%x-%x-%x", inode, found.Size(), found.ModTime().UnixNano())
}

func (d *driver) Rename(ctx context.Context, from, to string) error {
	file, _, err := d.open(from)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	// Somebody else may have put it there, and not durably.
	if err := file.Sync(); err != nil {
		return writing(from, "make the source durable", err)
	}
	above, target := path.Dir(relative(from)), path.Dir(relative(to))
	err = d.exclusively(ctx, func() error {
		found, err := d.root.Lstat(relative(from))
		if err != nil || !found.Mode().IsRegular() {
			return storagedriver.NotFound(from)
		}
		if err := d.publish(relative(from), to); err != nil {
			return err
		}
		d.prune(above)
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.sync(target); err != nil {
		return writing(to, "make the name durable", err)
	}
	if err := d.sync(above); err != nil {
		return writing(from, "make the removal durable", err)
	}
	return nil
}

func (d *driver) Delete(ctx context.Context, target string) error {
	content, staged := relative(target), stagingOf(target)
	var hasContent, hasUploads bool
	err := d.exclusively(ctx, func() error {
		_, err := d.root.Lstat(content)
		if hasContent = err == nil; err != nil && !isAbsent(err) {
			return writing(target, "look at the path", err)
		}
		if hasUploads, err = d.hasUploads(target); err != nil {
			return writing(target, "look for uploads", err)
		}
		for _, name := range []string{content, staged} {
			if err := d.root.RemoveAll(name); err != nil && !isAbsent(err) {
				return writing(target, "delete", err)
			}
			d.known.forget(name)
			d.prune(path.Dir(name))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !hasContent && !hasUploads {
		return storagedriver.NotFound(target)
	}
	for _, name := range []string{content, staged} {
		if err := d.sync(path.Dir(name)); err != nil {
			return writing(target, "make the removal durable", err)
		}
	}
	return nil
}
