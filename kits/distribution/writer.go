package distribution

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// How long a writer whose request is over is kept for somebody to close it.
const abandonedAfter = time.Minute

// Writer opens an upload: a new one, or with append the newest that was closed at the path, or else its content.
//
// The upload outlives the request in whose context it was opened, for a minute: a registry closes it after its client went
// away, and what came until then is to be kept.
func (d *driver) Writer(ctx context.Context, path string, append bool) (storagedriver.FileWriter, error) {
	mode := driverpb.WriteMode_WRITE_MODE_CREATE
	if append {
		mode = driverpb.WriteMode_WRITE_MODE_APPEND
	}
	opened, err := d.session(ctx, path)
	if err != nil {
		return nil, err
	}
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	keep := context.AfterFunc(ctx, cancel)
	stream, err := opened.Write(lasting)
	if err != nil {
		cancel()
		return nil, d.failure(err, path)
	}
	// Where it fails, Recv says why.
	_ = stream.Send(&driverpb.WriteRequest{Step: &driverpb.WriteRequest_Open{Open: &driverpb.WriteOpen{Path: path, Mode: mode}}})
	reply, err := stream.Recv()
	if err == nil && reply.GetOpened() == nil {
		err = corrupted(path, "the driver opened the upload with another reply")
	}
	if err == nil && !keep() {
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		return nil, d.failure(headless(err, path), path)
	}
	w := &writer{driver: d, path: path, isResumed: append, upload: newUpload(path, stream, cancel, reply.GetOpened().GetSize())}
	context.AfterFunc(ctx, func() { time.AfterFunc(abandonedAfter, cancel) })
	return w, nil
}

// How a writer ended.
type ending string

const (
	open      ending = ""
	closed    ending = "closed"
	committed ending = "committed"
	cancelled ending = "cancelled"
)

// The writer as Distribution wants it: with endings that may come twice.
type writer struct {
	driver *driver
	path   string
	// Opened with append.
	isResumed bool

	mu     sync.Mutex
	upload *upload
	ending ending
	// Close came after Commit or Cancel, as it always does.
	isClosed bool
}

func (w *writer) alreadyEnded() error {
	if w.ending == open {
		return nil
	}
	said := w.ending
	if w.isClosed {
		said = closed
	}
	return storagedriver.Error{DriverName: w.driver.name, Detail: fmt.Errorf("%s: the writer is already %s", w.path, said)}
}

// Write takes the bytes; they are durable after Close or Commit.
func (w *writer) Write(content []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.alreadyEnded(); err != nil {
		return 0, err
	}
	count, err := w.upload.write(content)
	return count, w.driver.stamped(err, w.path)
}

// Size is how many bytes the upload has, those included that are still on their way.
func (w *writer) Size() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return protocol.Bytes(w.upload.size())
}

// Close makes durable what was written, for a later append. After Commit and Cancel it does nothing; a second one is an error.
func (w *writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.ending != open && !w.isClosed:
		w.isClosed = true
		return nil
	case w.ending == open && w.isResumed && w.upload.isUntouched():
		// The registry opens an upload only to ask its size, perhaps while another request still writes to it. Of two writers
		// that resumed an upload one can close it: it must not be this one, which has nothing to keep.
		w.upload.drop()
		w.ending, w.isClosed = closed, true
		return nil
	}
	return w.finish(closed, driverpb.WriteEnding_WRITE_ENDING_CLOSE)
}

// Commit makes what was written the content of the path, durably.
func (w *writer) Commit(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.finish(committed, driverpb.WriteEnding_WRITE_ENDING_COMMIT)
}

// Cancel removes the upload, and leaves the content of the path.
func (w *writer) Cancel(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.finish(cancelled, driverpb.WriteEnding_WRITE_ENDING_CANCEL)
}

func (w *writer) finish(how ending, request driverpb.WriteEnding) error {
	if err := w.alreadyEnded(); err != nil {
		return err
	}
	err := w.upload.finish(request)
	if errors.Is(err, errRefused) {
		// The upload goes on: a commit that cannot be done leaves it to be closed or cancelled.
		return w.driver.stamped(errors.Unwrap(err), w.path)
	}
	w.ending, w.isClosed = how, how == closed
	return w.driver.stamped(err, w.path)
}
