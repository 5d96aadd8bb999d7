package distribution

import (
	"context"
	"errors"
	"io"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"google.golang.org/grpc"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

const (
	// How many entries in a row have to be wanted before the driver may read ahead. Read ahead of a skip is wasted, and costs an
	// object store lists.
	calmEntries = 8
	// The most that the driver reads ahead, in entries.
	widestWindow = 4096
)

// Walk calls f for everything below a directory.
//
// The order is that of the tree, as in Distribution's fallback, but for walks of blobs and of links to blobs: see orderOf. A
// directory that is absent is PathNotFoundError, but see mayBeMissing.
func (d *driver) Walk(ctx context.Context, from string, f storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	var chosen storagedriver.WalkOptions
	for _, option := range options {
		option(&chosen)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opened, err := d.session(ctx, from)
	if err != nil {
		return err
	}
	stream, err := opened.Walk(ctx)
	if err != nil {
		return d.failure(err, from)
	}
	order := orderOf(from)
	w := &walk{stream: stream, window: 1, outstanding: 1}
	w.send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_Start{Start: &driverpb.WalkStart{
		Path:       from,
		Order:      driverpb.WalkOrder(order),
		StartAfter: startAfter(from, chosen.StartAfterHint, order),
		Credit:     1,
	}}})
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			failed := d.failure(err, from)
			if isNotFound(failed) && (mayBeMissing(from) || d.isEmptyTags(ctx, from)) {
				return nil
			}
			return failed
		}
		if isDone, err := w.take(reply, f, d, from); isDone || err != nil {
			return err
		}
	}
}

// A walk on its way.
type walk struct {
	stream grpc.BidiStreamingClient[driverpb.WalkRequest, driverpb.WalkReply]
	// How many entries the driver may read ahead, and how many of those it was allowed have not come.
	window, outstanding uint64
	// How many entries were wanted since the last that was skipped.
	calm int
	// The directory whose entries are dropped, as some were on their way; empty: none.
	skipped string
}

// Shows the entries of a reply; true: no more are wanted.
func (w *walk) take(reply *driverpb.WalkReply, f storagedriver.WalkFn, d *driver, from string) (bool, error) {
	for _, message := range reply.GetEntries() {
		info, err := protocol.FromFileMessage(message)
		if err != nil {
			return true, d.failure(err, from)
		}
		if w.outstanding > 0 {
			w.outstanding--
		}
		if w.skipped == "" || !protocol.IsBelow(info.Path, w.skipped) {
			w.skipped = ""
			err := f(fileInfo(info))
			switch {
			case err == nil:
				w.calm++
			case errors.Is(err, storagedriver.ErrSkipDir):
				w.skip(info)
			case errors.Is(err, storagedriver.ErrFilledBuffer):
				return true, nil
			default:
				return true, err
			}
		}
		w.grant()
	}
	return false, nil
}

func (w *walk) skip(info protocol.FileInfo) {
	w.calm, w.window = 0, 1
	if !info.IsDir() {
		return
	}
	w.skipped = info.Path
	w.send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_Skip{Skip: &driverpb.WalkSkip{Path: info.Path}}})
}

// Lets the driver go on.
func (w *walk) grant() {
	if w.outstanding > w.window/2 {
		return
	}
	if w.calm >= calmEntries && w.window < widestWindow {
		w.window *= 2
	}
	credit := w.window - w.outstanding
	w.outstanding = w.window
	w.send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_More{More: &driverpb.WalkMore{Credit: credit}}})
}

// Where it fails, the next Recv says why.
func (w *walk) send(request *driverpb.WalkRequest) {
	_ = w.stream.Send(request)
}
