package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// What a server hands on at a time, in bytes.
const piece = 1 << 20

type work struct {
	driver               storagedriver.StorageDriver
	count, size, workers int64
	from, to             string
}

func (w work) run(ctx context.Context, kind string) error {
	chunk := make([]byte, min(w.size, piece))
	for i := range chunk {
		chunk[i] = byte(i % 251)
	}
	switch kind {
	case "put":
		return w.each(func(i int64) error { return w.driver.PutContent(ctx, blob(w.from, i), chunk) })
	case "get":
		return w.each(func(i int64) error {
			content, err := w.driver.GetContent(ctx, blob(w.from, i))
			return expect(int64(len(content)), w.size, err)
		})
	case "upload":
		return w.upload(ctx, chunk)
	case "download":
		reader, err := w.driver.Reader(ctx, w.from, 0)
		if err != nil {
			return err
		}
		defer reader.Close()
		size, err := io.Copy(io.Discard, reader)
		return expect(size, w.size, err)
	case "rename":
		return w.driver.Move(ctx, w.from, w.to)
	case "list":
		children, err := w.driver.List(ctx, w.from)
		return expect(int64(len(children)), w.size, err)
	case "walk":
		var files int64
		err := w.driver.Walk(ctx, w.from, func(info storagedriver.FileInfo) error {
			if !info.IsDir() {
				files++
			}
			return nil
		})
		return expect(files, w.size, err)
	case "delete":
		return w.driver.Delete(ctx, w.from)
	case "registry-upload":
		for i := range w.count {
			if err := w.registryUpload(ctx, fmt.Sprintf("%s/%d/data", w.from, i), blob(w.to, i), chunk); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("no work %q", kind)
}

// each does one thing for every index; each worker takes the next.
func (w work) each(one func(int64) error) error {
	var group sync.WaitGroup
	var next atomic.Int64
	failures := make(chan error, w.workers)
	for range w.workers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < w.count; i = next.Add(1) - 1 {
				if err := one(i); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failures)
	return <-failures
}

func (w work) upload(ctx context.Context, chunk []byte) error {
	writer, err := w.driver.Writer(ctx, w.from, false)
	if err != nil {
		return err
	}
	for range w.size / piece {
		if _, err := writer.Write(chunk); err != nil {
			return err
		}
	}
	if err := writer.Commit(ctx); err != nil {
		return err
	}
	return writer.Close()
}

// registryUpload is an upload as a registry makes it: opened and closed, three times a chunk appended by a writer of
// its own, committed by another, moved to its place.
func (w work) registryUpload(ctx context.Context, from, to string, chunk []byte) error {
	step := func(add bool, content []byte, commit bool) error {
		writer, err := w.driver.Writer(ctx, from, add)
		if err != nil {
			return err
		}
		if content != nil {
			if _, err := writer.Write(content); err != nil {
				return err
			}
		}
		if commit {
			if err := writer.Commit(ctx); err != nil {
				return err
			}
		}
		return writer.Close()
	}
	if err := step(false, nil, false); err != nil {
		return err
	}
	for range 3 {
		if err := step(true, chunk, false); err != nil {
			return err
		}
	}
	if err := step(true, nil, true); err != nil {
		return err
	}
	return w.driver.Move(ctx, from, to)
}

// blob is where the blob of a number lies, in the layout of a registry. Spread as digests are.
func blob(below string, index int64) string {
	half := fmt.Sprintf("%016x", uint64(index+1)*0x9e3779b97f4a7c15)
	return below + "/" + half[:2] + "/" + strings.Repeat(half, 4) + "/data"
}

func expect(found, expected int64, err error) error {
	if err == nil && found != expected {
		return fmt.Errorf("%d in place of %d", found, expected)
	}
	return err
}
