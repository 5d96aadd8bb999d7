package distribution

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// How many bytes may be on their way to the driver that it has not accepted; they are kept until then.
const mostAhead = 4 << 20

// A chunk could not be stored, and the upload can go on.
var errRefused = errors.New("refused")

type refusal struct{ reason error }

func (r refusal) Error() string        { return r.reason.Error() }
func (r refusal) Unwrap() error        { return r.reason }
func (r refusal) Is(target error) bool { return target == errRefused }

// An upload: one call of Write. Its methods are called by one goroutine at a time.
type upload struct {
	path   string
	stream grpc.BidiStreamingClient[driverpb.WriteRequest, driverpb.WriteReply]
	cancel context.CancelFunc
	// What was written and not sent: less than a frame.
	buffer []byte
	// Of the chunk that was sent last.
	sequence uint64
	// Where a refused chunk was told of: it is sent again before anything else.
	again bool

	mu      sync.Mutex
	changed *sync.Cond
	// Sent and not accepted, in order.
	pending []chunk
	ahead   int
	// How many bytes were accepted.
	accepted uint64
	// What was refused, until somebody is told.
	refused error
	// Set when the call is over: its last word, or why there is none.
	ended *driverpb.WriteEnded
	err   error
}

type chunk struct {
	sequence uint64
	data     []byte
}

func newUpload(
	path string, stream grpc.BidiStreamingClient[driverpb.WriteRequest, driverpb.WriteReply], cancel context.CancelFunc, size uint64,
) *upload {
	u := &upload{path: path, stream: stream, cancel: cancel, accepted: size}
	u.changed = sync.NewCond(&u.mu)
	go u.receive()
	return u
}

// Takes the driver's replies until the call is over.
func (u *upload) receive() {
	defer u.cancel()
	for {
		reply, err := u.stream.Recv()
		u.mu.Lock()
		if err == nil {
			err = u.note(reply)
		}
		if err != nil {
			u.err = err
			if errors.Is(err, io.EOF) && u.ended == nil {
				u.err = corrupted(u.path, "the driver ended the upload without a word")
			}
		}
		u.changed.Broadcast()
		u.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (u *upload) note(reply *driverpb.WriteReply) error {
	switch step := reply.GetStep().(type) {
	case *driverpb.WriteReply_Accepted:
		for len(u.pending) > 0 && u.pending[0].sequence <= step.Accepted.GetSequence() {
			u.ahead -= len(u.pending[0].data)
			u.accepted += uint64(len(u.pending[0].data))
			u.pending = u.pending[1:]
		}
		if size := step.Accepted.GetSize(); size != u.accepted {
			return corrupted(u.path, "the driver counts %d bytes in the upload, of %d that it accepted", size, u.accepted)
		}
	case *driverpb.WriteReply_Refused:
		u.refused = protocol.FromErrorMessage(step.Refused.GetError())
	case *driverpb.WriteReply_Ended:
		u.ended = step.Ended
	default:
		// A reply of a later version, which this one can do without.
	}
	return nil
}

// How many bytes the upload has, with those that are not accepted yet; after its end those that are durable.
func (u *upload) size() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended != nil {
		return u.ended.GetSize()
	}
	return u.accepted + uint64(u.ahead) + uint64(len(u.buffer))
}

// Whether nothing was written since it was opened.
func (u *upload) isUntouched() bool {
	return u.sequence == 0 && len(u.buffer) == 0
}

// Ends the call without an ending: the driver keeps the state of the last close. Returns when the call is over.
func (u *upload) drop() {
	u.cancel()
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.err == nil {
		u.changed.Wait()
	}
}

// Takes the bytes, or a part of them and an error.
func (u *upload) write(content []byte) (int, error) {
	// It is told before anything is taken.
	if err := u.fault(); err != nil {
		return 0, err
	}
	taken := 0
	for len(content) > 0 {
		if len(u.buffer) == protocol.FrameSize {
			if err := u.flush(); err != nil {
				return taken, err
			}
		}
		if u.buffer == nil && (u.sequence > 0 || len(content) >= protocol.FrameSize) {
			u.buffer = make([]byte, 0, protocol.FrameSize)
		}
		part := content[:min(len(content), protocol.FrameSize-len(u.buffer))]
		u.buffer = append(u.buffer, part...)
		content = content[len(part):]
		taken += len(part)
	}
	return taken, nil
}

// What went wrong since it was asked last.
func (u *upload) fault() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.tell()
}

// Tells what went wrong, a refusal once; u.mu is held.
func (u *upload) tell() error {
	if u.err != nil {
		return u.err
	}
	if u.refused != nil {
		err := refusal{u.refused}
		u.refused, u.again = nil, true
		return err
	}
	return nil
}

// Sends what is buffered, as soon as there is room.
func (u *upload) flush() error {
	if err := u.repeat(); err != nil {
		return err
	}
	if len(u.buffer) == 0 {
		return nil
	}
	u.mu.Lock()
	for u.ahead+len(u.buffer) > mostAhead && u.err == nil && u.refused == nil {
		u.changed.Wait()
	}
	err := u.tell()
	if err == nil {
		u.sequence++
		u.pending = append(u.pending, chunk{u.sequence, u.buffer})
		u.ahead += len(u.buffer)
	}
	u.mu.Unlock()
	if err != nil {
		return err
	}
	u.send(chunk{u.sequence, u.buffer})
	u.buffer = nil
	return nil
}

// Sends again what was refused, and everything after it, once somebody was told.
func (u *upload) repeat() error {
	if !u.again {
		return nil
	}
	u.again = false
	u.mu.Lock()
	pending := slices.Clone(u.pending)
	u.mu.Unlock()
	for _, chunk := range pending {
		u.send(chunk)
	}
	return nil
}

func (u *upload) send(chunk chunk) {
	// Where it fails, the driver's last word says why.
	_ = u.stream.Send(&driverpb.WriteRequest{Step: &driverpb.WriteRequest_Chunk{
		Chunk: &driverpb.WriteChunk{Sequence: chunk.sequence, Data: chunk.data, Last: true},
	}})
}

// Ends the upload. A refused chunk is sent once more before; if it is refused again, the upload is not ended, and may be ended
// otherwise: the error is errRefused. But a Close keeps what was accepted, and tells what was not.
func (u *upload) finish(how driverpb.WriteEnding) error {
	var lost error
	if how != driverpb.WriteEnding_WRITE_ENDING_CANCEL {
		if lost = u.settle(); lost != nil && !errors.Is(lost, errRefused) {
			return lost
		}
		if lost != nil && how == driverpb.WriteEnding_WRITE_ENDING_COMMIT {
			return lost
		}
	}
	_ = u.stream.Send(&driverpb.WriteRequest{Step: &driverpb.WriteRequest_Ending{Ending: how}})
	_ = u.stream.CloseSend()
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.err == nil {
		u.changed.Wait()
	}
	if u.ended == nil {
		return u.err
	}
	if !errors.Is(u.err, io.EOF) {
		return u.err
	}
	u.pending, u.ahead, u.buffer = nil, 0, nil
	var refused refusal
	if errors.As(lost, &refused) {
		return refused.reason
	}
	return nil
}

// Sends everything and waits until it is accepted.
func (u *upload) settle() error {
	// A refusal that nobody was told of is tried again once.
	for attempt := 0; ; attempt++ {
		err := u.flush()
		if err == nil {
			err = u.await()
		}
		if err == nil || !errors.Is(err, errRefused) || attempt == 1 {
			return err
		}
	}
}

func (u *upload) await() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.ahead > 0 && u.err == nil && u.refused == nil {
		u.changed.Wait()
	}
	return u.tell()
}
