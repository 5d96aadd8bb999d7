package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

type work struct {
	step
	driver storagedriver.StorageDriver
	chunk  []byte
	ring   []string
}

func (w *work) run(ctx context.Context) (took, error) {
	if w.Kind == "stream" {
		return w.stream(ctx)
	}
	var next, operations atomic.Int64
	var isOver atomic.Bool
	var group sync.WaitGroup
	failures := make(chan error, w.Workers)
	started := time.Now()
	if w.Milliseconds > 0 {
		// Reading a clock for each operation would cost what the fastest of them do.
		time.AfterFunc(time.Duration(w.Milliseconds)*time.Millisecond, func() { isOver.Store(true) })
	}
	for range w.Workers {
		group.Go(func() {
			done := int64(0)
			for {
				i := next.Add(1) - 1
				// Whatever takes longer than the time is done once.
				if w.Milliseconds == 0 && i >= w.Count || w.Milliseconds > 0 && i > 0 && isOver.Load() {
					operations.Add(done)
					return
				}
				if err := w.one(ctx, i); err != nil {
					failures <- err
					return
				}
				done++
			}
		})
	}
	group.Wait()
	close(failures)
	return since(started, operations.Load()), <-failures
}

func (w *work) one(ctx context.Context, i int64) error {
	switch w.Kind {
	case "put":
		return w.driver.PutContent(ctx, w.path(i), w.chunk)
	case "put-flat":
		return w.driver.PutContent(ctx, fmt.Sprintf("%s/f%06d", w.From, i), w.chunk)
	case "get":
		content, err := w.driver.GetContent(ctx, w.path(i))
		return expect(int64(len(content)), w.Size, err)
	case "stat":
		_, err := w.driver.Stat(ctx, w.path(i))
		return err
	case "stat-missing":
		_, err := w.driver.Stat(ctx, w.From)
		if errors.As(err, new(storagedriver.PathNotFoundError)) {
			return nil
		}
		return fmt.Errorf("not missing: %w", err)
	case "upload":
		_, err := w.upload(ctx)
		return err
	case "download":
		return w.download(ctx)
	case "rename":
		return w.driver.Move(ctx, w.From, w.To)
	case "move":
		if i%2 == 0 {
			return w.driver.Move(ctx, w.From, w.To)
		}
		return w.driver.Move(ctx, w.To, w.From)
	case "list":
		children, err := w.driver.List(ctx, w.From)
		return expect(int64(len(children)), w.Size, err)
	case "walk":
		return w.walk(ctx)
	case "delete":
		return w.driver.Delete(ctx, w.From)
	case "registry-upload":
		return w.registryUpload(ctx, fmt.Sprintf("%s/%d/data", w.From, i), blob(w.To, i))
	}
	return fmt.Errorf("no work %q", w.Kind)
}

func (w *work) path(i int64) string {
	if w.Ring > 0 {
		return w.ring[i%w.Ring]
	}
	return blob(w.From, i)
}

func (w *work) walk(ctx context.Context) error {
	var files int64
	err := w.driver.Walk(ctx, w.From, func(info storagedriver.FileInfo) error {
		if !info.IsDir() {
			files++
		}
		return nil
	})
	return expect(files, w.Size, err)
}

// upload returns when all was handed over, before it was committed.
func (w *work) upload(ctx context.Context) (time.Time, error) {
	writer, err := w.driver.Writer(ctx, w.From, false)
	if err != nil {
		return time.Time{}, err
	}
	for range w.Size / int64(len(w.chunk)) {
		if _, err := writer.Write(w.chunk); err != nil {
			return time.Time{}, err
		}
	}
	handed := time.Now()
	if err := writer.Commit(ctx); err != nil {
		return handed, err
	}
	return handed, writer.Close()
}

// download takes what comes as it comes.
func (w *work) download(ctx context.Context) error {
	reader, err := w.driver.Reader(ctx, w.From, 0)
	if err != nil {
		return err
	}
	defer reader.Close()
	size, err := io.Copy(io.Discard, reader)
	return expect(size, w.Size, err)
}

// read streams a content through a buffer.
func (w *work) read(ctx context.Context, buffer []byte) error {
	reader, err := w.driver.Reader(ctx, w.From, 0)
	if err != nil {
		return err
	}
	defer reader.Close()
	var size int64
	for {
		count, err := reader.Read(buffer)
		size += int64(count)
		if err == io.EOF {
			return expect(size, w.Size, nil)
		}
		if err != nil {
			return err
		}
	}
}

// stream writes, commits, reads into a buffer as large as a piece, and reads what comes as it comes.
func (w *work) stream(ctx context.Context) (took, error) {
	buffer := make([]byte, len(w.chunk))
	laps := map[string]int64{}
	began := time.Now()
	for range w.Count {
		started := time.Now()
		handed, err := w.upload(ctx)
		if err != nil {
			return took{}, err
		}
		committed := time.Now()
		if err := w.read(ctx, buffer); err != nil {
			return took{}, err
		}
		read := time.Now()
		if err := w.download(ctx); err != nil {
			return took{}, err
		}
		copied := time.Now()
		if err := w.driver.Delete(ctx, w.From); err != nil {
			return took{}, err
		}
		laps["write"] += handed.Sub(started).Nanoseconds()
		laps["write-commit"] += committed.Sub(started).Nanoseconds()
		laps["read"] += read.Sub(committed).Nanoseconds()
		laps["copy"] += copied.Sub(read).Nanoseconds()
	}
	total := since(began, w.Count)
	total.Laps = laps
	return total, nil
}

// registryUpload is an upload as a registry makes it: opened and closed, three times a chunk appended by a writer of
// its own, committed by another, moved to its place.
func (w *work) registryUpload(ctx context.Context, from, to string) error {
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
		if err := step(true, w.chunk, false); err != nil {
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
