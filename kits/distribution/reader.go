package distribution

import (
	"bytes"
	"context"
	"errors"
	"io"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"google.golang.org/grpc"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
)

// Reader gives the content from an offset on. Past the end there is nothing, as in Distribution's own drivers; the contract of
// ours would make it an error.
func (d *driver) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	made, err := d.read(ctx, cancel, path, offset)
	if err == nil {
		return made, nil
	}
	cancel()
	if _, isPastEnd := err.(storagedriver.InvalidOffsetError); isPastEnd {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	return nil, err
}

func (d *driver) read(ctx context.Context, cancel context.CancelFunc, path string, offset int64) (*reader, error) {
	opened, err := d.session(ctx, path)
	if err != nil {
		return nil, err
	}
	stream, err := opened.Read(ctx, &driverpb.ReadRequest{Path: path, Offset: uint64(offset)})
	if err != nil {
		return nil, d.failure(err, path)
	}
	// The head: that there is nothing to read is said now, and not at the first byte.
	first, err := stream.Recv()
	if err != nil {
		return nil, d.failure(headless(err, path), path)
	}
	size := first.GetHead().GetSize()
	if size < uint64(offset) {
		err := corrupted(path, "the driver reads from byte %d of a content of %d", offset, size)
		return nil, d.failure(err, path)
	}
	return &reader{
		driver: d, path: path, stream: stream, cancel: cancel, piece: first.GetData(), left: size - uint64(offset),
	}, nil
}

// Content as it comes. The driver sends no more ahead than the window of the stream.
type reader struct {
	driver *driver
	path   string
	stream grpc.ServerStreamingClient[driverpb.ContentReply]
	cancel context.CancelFunc
	// What has come and was not read.
	piece []byte
	// How many bytes are still to be read.
	left uint64
	// Why there is no more.
	err error
}

var errReaderClosed = errors.New("the reader is closed")

// Read gives what has come, or waits for more.
func (r *reader) Read(to []byte) (int, error) {
	for r.err == nil && len(r.piece) == 0 {
		r.receive()
	}
	if len(r.piece) == 0 {
		return 0, r.err
	}
	if uint64(len(r.piece)) > r.left {
		r.end(r.driver.stamped(corrupted(r.path, "the driver sent more than the content has"), r.path))
		return 0, r.err
	}
	count := copy(to, r.piece)
	r.piece = r.piece[count:]
	r.left -= uint64(count)
	return count, nil
}

func (r *reader) receive() {
	reply, err := r.stream.Recv()
	switch {
	case err == nil:
		r.piece = reply.GetData()
	case !errors.Is(err, io.EOF):
		r.end(r.driver.stamped(err, r.path))
	case r.left > 0:
		r.end(r.driver.stamped(corrupted(r.path, "the driver ended the content %d bytes early", r.left), r.path))
	default:
		r.end(io.EOF)
	}
}

func (r *reader) end(err error) {
	r.err, r.piece = err, nil
	r.cancel()
}

// Close gives up what was not read.
func (r *reader) Close() error {
	if r.err == nil || errors.Is(r.err, io.EOF) {
		r.end(errReaderClosed)
	}
	return nil
}
