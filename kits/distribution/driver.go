package distribution

import (
	"context"
	"errors"
	"io"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// The most that is allocated for content on the word of a driver, in bytes; more grows as it comes.
const trustedSize = 64 << 20

// The driver as Distribution wants it. Paths were checked against Distribution's grammar before.
type driver struct {
	supervisor *supervisor
	// Of the driver, not of what is registered: it stands in errors and metrics.
	name string
	// How long a call may take that does not stream; zero: as long as it likes.
	timeout time.Duration
}

// Name is the name of the driver that was configured.
func (d *driver) Name() string {
	return d.name
}

// For calls that change something: what an HTTP client began is finished also if that client goes away. Distribution closes an
// upload under the context of the request that broke, and the bytes that came are to be kept.
func (d *driver) changing(ctx context.Context) (context.Context, context.CancelFunc) {
	return d.bounded(context.WithoutCancel(ctx))
}

// For calls that do not stream.
func (d *driver) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d.timeout)
}

func (d *driver) session(ctx context.Context, path string) (*session, error) {
	opened, err := d.supervisor.session(ctx)
	if err != nil {
		return nil, d.failure(unavailable(err, path), path)
	}
	return opened, nil
}

// GetContent gives all of a file.
func (d *driver) GetContent(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opened, err := d.session(ctx, path)
	if err != nil {
		return nil, err
	}
	stream, err := opened.GetContent(ctx, &driverpb.GetContentRequest{Path: path})
	if err != nil {
		return nil, d.failure(err, path)
	}
	first, err := stream.Recv()
	if err != nil {
		return nil, d.failure(headless(err, path), path)
	}
	size := first.GetHead().GetSize()
	content := make([]byte, 0, min(size, trustedSize))
	for reply := first; err == nil; reply, err = stream.Recv() {
		content = append(content, reply.GetData()...)
	}
	if !errors.Is(err, io.EOF) {
		return nil, d.failure(err, path)
	}
	if uint64(len(content)) != size {
		return nil, d.failure(corrupted(path, "the driver sent %d bytes of a content of %d", len(content), size), path)
	}
	return content, nil
}

// A stream that ended before it said anything.
func headless(err error, path string) error {
	if errors.Is(err, io.EOF) {
		return corrupted(path, "the driver ended the call without a reply")
	}
	return err
}

// PutContent replaces the content of a file, atomically.
func (d *driver) PutContent(ctx context.Context, path string, content []byte) error {
	// Not bounded by a time: content takes the time that it takes.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	opened, err := d.session(ctx, path)
	if err != nil {
		return err
	}
	stream, err := opened.PutContent(ctx)
	if err != nil {
		return d.failure(err, path)
	}
	request := &driverpb.PutContentRequest{Path: path}
	for {
		request.Data = content[:min(len(content), protocol.FrameSize)]
		content = content[len(request.Data):]
		request.Last = len(content) == 0
		// Where it fails, the reply says why.
		if err := stream.Send(request); err != nil || request.Last {
			break
		}
		request = &driverpb.PutContentRequest{}
	}
	_, err = stream.CloseAndRecv()
	return d.failure(err, path)
}

// Stat tells what is at the path.
func (d *driver) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	opened, err := d.session(ctx, path)
	if err != nil {
		return nil, err
	}
	reply, err := opened.Stat(ctx, &driverpb.StatRequest{Path: path})
	if err != nil {
		return nil, d.failure(err, path)
	}
	info, err := protocol.FromFileMessage(reply.GetInfo())
	if err != nil {
		return nil, d.failure(err, path)
	}
	return fileInfo(info), nil
}

// An entry as Distribution knows it. A name that is both file and directory is a file: as such it can be read.
func fileInfo(info protocol.FileInfo) storagedriver.FileInfo {
	fields := storagedriver.FileInfoFields{Path: info.Path, IsDir: info.IsDir(), ModTime: info.Modified}
	if !fields.IsDir {
		fields.Size = protocol.Bytes(info.Size)
	}
	return storagedriver.FileInfoInternal{FileInfoFields: fields}
}

// List gives the paths of the direct children, sorted.
func (d *driver) List(ctx context.Context, path string) ([]string, error) {
	children, err := d.list(ctx, path)
	if isNotFound(err) && d.isEmptyTags(ctx, path) {
		return []string{}, nil
	}
	return children, err
}

func (d *driver) list(ctx context.Context, path string) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opened, err := d.session(ctx, path)
	if err != nil {
		return nil, err
	}
	stream, err := opened.List(ctx, &driverpb.ListRequest{Path: path})
	if err != nil {
		return nil, d.failure(err, path)
	}
	children := []string{}
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return children, nil
		}
		if err != nil {
			return nil, d.failure(err, path)
		}
		for _, message := range reply.GetEntries() {
			info, err := protocol.FromFileMessage(message)
			if err != nil {
				return nil, d.failure(err, path)
			}
			children = append(children, info.Path)
		}
	}
}

// Move makes the content of one path that of the other.
func (d *driver) Move(ctx context.Context, from, to string) error {
	ctx, cancel := d.changing(ctx)
	defer cancel()
	opened, err := d.session(ctx, from)
	if err != nil {
		return err
	}
	_, err = opened.Rename(ctx, &driverpb.RenameRequest{From: from, To: to})
	return d.failure(err, from)
}

// Delete removes the path and everything below it, uploads included.
func (d *driver) Delete(ctx context.Context, path string) error {
	ctx, cancel := d.changing(ctx)
	defer cancel()
	opened, err := d.session(ctx, path)
	if err != nil {
		return err
	}
	_, err = opened.Delete(ctx, &driverpb.DeleteRequest{Path: path})
	return d.failure(err, path)
}

func isNotFound(err error) bool {
	_, is := err.(storagedriver.PathNotFoundError)
	return is
}
