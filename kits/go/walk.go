package storagedriver

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

func within(path, ancestor string) bool {
	return path != "" && protocol.IsWithin(path, ancestor)
}

// A walk that a host reads. Three go on at once: one reads what the host says, one asks the driver for entries, and the call
// itself sends what there is.
type hostWalk struct {
	mutex sync.Mutex
	// Told of every change.
	changed *sync.Cond
	// How many entries may be sent.
	credit uint64
	// What the driver gave and was not sent yet, and its size in bytes.
	ready []*driverpb.FileInfo
	size  int
	// The directory that the host skipped last. What it skipped before lies behind.
	skipped string
	// Whether the walk has to hear of that.
	isSkipNew bool
	// Whether the host says nothing any more.
	isSilent bool
	// Whether the driver has given everything; and the error that ended it.
	isOver bool
	err    error
}

func (s *service) Walk(stream driverpb.StorageDriver_WalkServer) error {
	return s.guarded("", func() error {
		first, err := stream.Recv()
		if err != nil {
			return ended(err, "before the walk began")
		}
		start := first.GetStart()
		if start == nil {
			return protocol.Errorf(Backend, "", "the host broke the protocol: a walk begins with its start")
		}
		driver, err := s.on(stream.Context(), allowed, start.Path)
		if err != nil {
			return err
		}
		options := WalkOptions{Order: WalkOrder(start.Order)}
		if options.Order != KeyOrder && options.Order != TreeOrder {
			return protocol.Errorf(Unsupported, start.Path, "the unknown order %d of a walk", start.Order)
		}
		if start.StartAfter != "" {
			key, err := protocol.ParseWalkKey(start.StartAfter)
			if err != nil {
				return err
			}
			options.StartAfter = &key
		}
		if err := serveWalk(stream, driver, start, options); err != nil {
			return placed(err, start.Path)
		}
		return nil
	})
}

func serveWalk(stream driverpb.StorageDriver_WalkServer, driver Driver, start *driverpb.WalkStart, options WalkOptions) error {
	walk := &hostWalk{credit: start.Credit}
	walk.changed = sync.NewCond(&walk.mutex)
	ctx, cancel := context.WithCancel(stream.Context())
	wake := context.AfterFunc(ctx, func() { walk.end(context.Cause(ctx)) })
	defer wake()
	var driving sync.WaitGroup
	driving.Go(func() {
		walk.end(caught(func() error { return walk.drive(ctx, driver, start.Path, options) }))
	})
	// The driver is done with the walk before the call ends.
	defer driving.Wait()
	defer cancel()
	go walk.listen(stream)
	return walk.send(stream)
}

// Reads what the host says until the call ends.
func (w *hostWalk) listen(stream driverpb.StorageDriver_WalkServer) {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			// What there is credit for still comes; the host cannot give more.
			w.mutex.Lock()
			w.isSilent = true
			w.mutex.Unlock()
			w.changed.Broadcast()
			return
		}
		if err != nil {
			w.end(err)
			return
		}
		w.mutex.Lock()
		switch step := request.Step.(type) {
		case *driverpb.WalkRequest_More:
			w.credit += step.More.GetCredit()
		case *driverpb.WalkRequest_Skip:
			w.skipped, w.isSkipNew = step.Skip.GetPath(), true
		}
		w.mutex.Unlock()
		w.changed.Broadcast()
	}
}

// Says that nothing comes any more.
func (w *hostWalk) end(err error) {
	w.mutex.Lock()
	if !w.isOver {
		w.isOver, w.err = true, err
	}
	w.mutex.Unlock()
	w.changed.Broadcast()
}

// Asks the driver for entries, one more than there is credit for: so the end is known as soon as the last entry was sent.
func (w *hostWalk) drive(ctx context.Context, driver Driver, start string, options WalkOptions) error {
	walk, err := openWalk(ctx, driver, start, options)
	if err != nil {
		return err
	}
	defer walk.Close()
	for {
		w.mutex.Lock()
		for !w.isOver && (uint64(len(w.ready)) > w.credit || len(w.ready) >= protocol.BatchEntries || w.size >= protocol.BatchSize) {
			w.changed.Wait()
		}
		isOver, isSkipNew, skipped := w.isOver, w.isSkipNew, w.skipped
		w.isSkipNew = false
		w.mutex.Unlock()
		if isOver {
			return nil
		}
		if isSkipNew {
			walk.Skip(skipped)
		}
		info, err := walk.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		message := protocol.FileMessage(info)
		size := proto.Size(message)
		w.mutex.Lock()
		w.ready, w.size = append(w.ready, message), w.size+size
		wasEmpty := len(w.ready) == 1
		w.mutex.Unlock()
		if wasEmpty {
			w.changed.Broadcast()
		}
	}
}

func openWalk(ctx context.Context, driver Driver, start string, options WalkOptions) (Walk, error) {
	if walker, ok := driver.(Walker); ok {
		walk, err := walker.Walk(ctx, start, options)
		if err != nil || walk != nil {
			return walk, err
		}
	}
	return newListWalk(ctx, driver, start, options)
}

// Sends what there is, as soon as it is there.
func (w *hostWalk) send(stream driverpb.StorageDriver_WalkServer) error {
	for {
		batch, err := w.batch()
		if err != nil || batch == nil {
			return err
		}
		if err := stream.Send(&driverpb.WalkReply{Entries: batch}); err != nil {
			return err
		}
	}
}

// Waits for entries that may be sent; none at the end.
func (w *hostWalk) batch() ([]*driverpb.FileInfo, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for {
		w.leaveOut()
		if count := min(uint64(len(w.ready)), w.credit); count > 0 {
			batch := w.ready[:count:count]
			w.credit -= count
			w.keep(w.ready[count:])
			return batch, nil
		}
		if w.isOver && (len(w.ready) == 0 || w.err != nil) {
			return nil, w.err
		}
		if len(w.ready) > 0 && w.isSilent {
			return nil, protocol.Errorf(Backend, "", "the host ended its requests before the walk was over, and gave no credit for the rest")
		}
		w.changed.Wait()
	}
}

// Leaves out what the host has skipped.
func (w *hostWalk) leaveOut() {
	if w.skipped == "" {
		return
	}
	kept := w.ready[:0:0]
	for _, entry := range w.ready {
		if !protocol.IsBelow(entry.Path, w.skipped) {
			kept = append(kept, entry)
		}
	}
	if len(kept) < len(w.ready) {
		w.keep(kept)
	}
}

// Keeps only these of what is ready.
func (w *hostWalk) keep(rest []*driverpb.FileInfo) {
	w.ready, w.size = rest, 0
	for _, entry := range rest {
		w.size += proto.Size(entry)
	}
	w.changed.Broadcast()
}
