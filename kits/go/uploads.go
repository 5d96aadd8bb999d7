package storagedriver

import (
	"context"
	"sync"
)

// The uploads that are open. A host that has dropped one goes on at once, and must find it dropped: so a call waits
// for those whose streams ended before it came.
type openUploads struct {
	mutex sync.Mutex
	// Each with what is closed when its writer was dropped.
	open map[context.Context]chan struct{}
}

// Notes an upload; what it gives says that the writer was dropped.
func (o *openUploads) begin(ctx context.Context) (dropped func()) {
	done := make(chan struct{})
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.open == nil {
		o.open = map[context.Context]chan struct{}{}
	}
	o.open[ctx] = done
	return func() {
		o.mutex.Lock()
		defer o.mutex.Unlock()
		delete(o.open, ctx)
		close(done)
	}
}

// Waits for the writers of uploads that are over.
func (o *openUploads) settle(ctx context.Context) {
	var waited []chan struct{}
	o.mutex.Lock()
	for upload, done := range o.open {
		if upload.Err() != nil {
			waited = append(waited, done)
		}
	}
	o.mutex.Unlock()
	for _, done := range waited {
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
}
