package storagedriver_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// A writer that keeps what is done with it.
type recorder struct {
	mutex   sync.Mutex
	content []byte
	// What was done, from the opening on.
	did     []string
	dropped chan struct{}
	write   func(chunk []byte) error
	ending  error
}

func (r *recorder) Write(_ context.Context, chunk []byte) error {
	if r.write != nil {
		if err := r.write(chunk); err != nil {
			return err
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.content = append(r.content, chunk...)
	return nil
}

func (r *recorder) Size() uint64 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return uint64(len(r.content))
}

func (r *recorder) do(what string) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.did = append(r.did, what)
	return r.ending
}

func (r *recorder) Close(context.Context) error  { return r.do("close") }
func (r *recorder) Commit(context.Context) error { return r.do("commit") }
func (r *recorder) Cancel(context.Context) error { return r.do("cancel") }

func (r *recorder) Drop() {
	_ = r.do("drop")
	if r.dropped != nil {
		close(r.dropped)
	}
}

// Waits until the writer was dropped, and checks what was done with it until then.
func (r *recorder) expect(t *testing.T, content string, did ...string) {
	t.Helper()
	within(t, r.dropped, "the drop of the writer")
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if string(r.content) != content || !slices.Equal(r.did, did) {
		t.Errorf("%q, %v", r.content, r.did)
	}
}

// An upload as a host has it.
type hostUpload struct {
	t      *testing.T
	stream driverpb.StorageDriver_WriteClient
}

func openUpload(t *testing.T, client driverpb.StorageDriverClient, path string) *hostUpload {
	t.Helper()
	return openUploadIn(t, t.Context(), client, path)
}

func openUploadIn(t *testing.T, ctx context.Context, client driverpb.StorageDriverClient, path string) *hostUpload {
	t.Helper()
	stream, err := client.Write(ctx)
	if err != nil {
		t.Fatal(err)
	}
	upload := &hostUpload{t, stream}
	upload.send(&driverpb.WriteRequest{Step: &driverpb.WriteRequest_Open{Open: &driverpb.WriteOpen{Path: path, Mode: driverpb.WriteMode_WRITE_MODE_CREATE}}})
	if upload.recv().GetOpened() == nil {
		t.Fatal("the first reply is not `opened`")
	}
	return upload
}

func (u *hostUpload) send(request *driverpb.WriteRequest) {
	u.t.Helper()
	if err := u.stream.Send(request); err != nil {
		u.t.Fatal(err)
	}
}

func (u *hostUpload) chunk(sequence uint64, data string, last bool) {
	u.t.Helper()
	chunk := &driverpb.WriteChunk{Sequence: sequence, Data: []byte(data), Last: last}
	u.send(&driverpb.WriteRequest{Step: &driverpb.WriteRequest_Chunk{Chunk: chunk}})
}

func (u *hostUpload) end(ending driverpb.WriteEnding) {
	u.t.Helper()
	u.send(&driverpb.WriteRequest{Step: &driverpb.WriteRequest_Ending{Ending: ending}})
}

func (u *hostUpload) recv() *driverpb.WriteReply {
	u.t.Helper()
	reply, err := u.stream.Recv()
	if err != nil {
		u.t.Fatal(err)
	}
	return reply
}

func (u *hostUpload) expectAccepted(sequence, size uint64) {
	u.t.Helper()
	reply := u.recv()
	if accepted := reply.GetAccepted(); accepted.GetSequence() != sequence || accepted.GetSize() != size {
		u.t.Errorf("%v", reply)
	}
}

func (u *hostUpload) expectEnded(size uint64) {
	u.t.Helper()
	reply := u.recv()
	if reply.GetEnded() == nil || reply.GetEnded().Size != size {
		u.t.Errorf("%v", reply)
	}
	if _, err := u.stream.Recv(); !errors.Is(err, io.EOF) {
		u.t.Error(err)
	}
}

func servedWriter(t *testing.T, writer *recorder) driverpb.StorageDriverClient {
	writer.dropped = make(chan struct{})
	return served(t, &fake{writer: func(context.Context, string, storagedriver.WriteMode) (storagedriver.FileWriter, error) {
		return writer, nil
	}})
}

func TestChunksAreTakenInPiecesAndEndedAsAsked(t *testing.T) {
	for ending, did := range map[driverpb.WriteEnding]string{
		driverpb.WriteEnding_WRITE_ENDING_CLOSE:  "close",
		driverpb.WriteEnding_WRITE_ENDING_COMMIT: "commit",
		driverpb.WriteEnding_WRITE_ENDING_CANCEL: "cancel",
	} {
		var sizes []int
		writer := &recorder{write: func(chunk []byte) error { sizes = append(sizes, len(chunk)); return nil }}
		upload := openUpload(t, servedWriter(t, writer), "/a")
		upload.chunk(1, "one", true)
		upload.chunk(2, "t", false)
		upload.chunk(2, "w", false)
		upload.chunk(2, "o", true)
		upload.chunk(3, "", true)
		// Of this one only a piece comes: it is none.
		upload.chunk(4, "lost", false)
		upload.end(ending)
		upload.expectAccepted(1, 3)
		upload.expectAccepted(2, 6)
		upload.expectAccepted(3, 6)
		if did == "cancel" {
			upload.expectEnded(0)
		} else {
			upload.expectEnded(6)
		}
		writer.expect(t, "onetwo", did, "drop")
		if !slices.Equal(sizes, []int{3, 3, 0}) {
			t.Errorf("%v", sizes)
		}
	}
}

func TestAnUploadThatIsContinuedSaysItsSize(t *testing.T) {
	writer := &recorder{content: []byte("before")}
	client := served(t, &fake{writer: func(_ context.Context, path string, mode storagedriver.WriteMode) (storagedriver.FileWriter, error) {
		if mode != storagedriver.Append {
			return nil, storagedriver.Errorf(storagedriver.Conflict, path, "mode %v", mode)
		}
		return writer, nil
	}})
	open := func(mode driverpb.WriteMode) (*driverpb.WriteReply, error) {
		stream, _ := client.Write(t.Context())
		_ = stream.Send(&driverpb.WriteRequest{Step: &driverpb.WriteRequest_Open{Open: &driverpb.WriteOpen{Path: "/a", Mode: mode}}})
		return stream.Recv()
	}
	if reply, err := open(driverpb.WriteMode_WRITE_MODE_APPEND); err != nil || reply.GetOpened().GetSize() != 6 {
		t.Errorf("%v, %v", reply, err)
	}
	_, err := open(driverpb.WriteMode_WRITE_MODE_CREATE)
	wantKind(t, err, protocol.Conflict, "/a")
	_, err = open(77)
	wantKind(t, err, protocol.Unsupported, "mode 77")
}

func TestAnUploadThatEndsWithoutAnEndingIsDropped(t *testing.T) {
	writer := &recorder{}
	upload := openUpload(t, servedWriter(t, writer), "/a")
	upload.chunk(1, "one", true)
	upload.expectAccepted(1, 3)
	if err := upload.stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := upload.stream.Recv(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	writer.expect(t, "one", "drop")

	writer = &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	upload = openUploadIn(t, ctx, servedWriter(t, writer), "/a")
	upload.chunk(1, "one", true)
	upload.expectAccepted(1, 3)
	cancel()
	writer.expect(t, "one", "drop")
}

func TestARefusedChunkIsTakenWhenItComesAgain(t *testing.T) {
	full := true
	writer := &recorder{write: func(chunk []byte) error {
		if full && string(chunk) == "two" {
			full = false
			return storagedriver.Errorf(storagedriver.OutOfSpace, "", "the disk is full")
		}
		return nil
	}}
	upload := openUpload(t, servedWriter(t, writer), "/a")
	upload.chunk(1, "one", true)
	upload.chunk(2, "two", true)
	// Sent before the host has heard of it: not taken, and nothing is said of it.
	upload.chunk(3, "thr", false)
	upload.chunk(3, "ee", true)
	upload.chunk(4, "four", true)
	upload.expectAccepted(1, 3)
	refused := upload.recv().GetRefused()
	if refused.GetSequence() != 2 {
		t.Fatalf("%v", refused)
	}
	wantKind(t, protocol.ToStatus(protocol.FromErrorMessage(refused.Error)), protocol.OutOfSpace, "/a", "the disk is full")
	upload.chunk(2, "t", false)
	upload.chunk(2, "wo", true)
	upload.chunk(3, "three", true)
	upload.end(driverpb.WriteEnding_WRITE_ENDING_COMMIT)
	upload.expectAccepted(2, 6)
	upload.expectAccepted(3, 11)
	upload.expectEnded(11)
	writer.expect(t, "onetwothree", "commit", "drop")
}

func TestAnEndingAfterARefusalEndsWithWhatWasAccepted(t *testing.T) {
	writer := &recorder{write: func(chunk []byte) error {
		if string(chunk) == "two" {
			return errors.New("no")
		}
		return nil
	}}
	upload := openUpload(t, servedWriter(t, writer), "/a")
	upload.chunk(1, "one", true)
	upload.chunk(2, "two", true)
	upload.chunk(3, "three", true)
	upload.expectAccepted(1, 3)
	if upload.recv().GetRefused().GetSequence() != 2 {
		t.Fatal("the second chunk was not refused")
	}
	upload.end(driverpb.WriteEnding_WRITE_ENDING_CLOSE)
	upload.expectEnded(3)
	writer.expect(t, "one", "close", "drop")
}

func TestAnEndingThatFailsEndsTheCallWithTheErrorAndTheOperation(t *testing.T) {
	writer := &recorder{ending: storagedriver.Errorf(storagedriver.Conflict, "", "somebody else was quicker")}
	upload := openUpload(t, servedWriter(t, writer), "/a")
	upload.end(driverpb.WriteEnding_WRITE_ENDING_COMMIT)
	_, err := upload.stream.Recv()
	wantKind(t, err, protocol.Conflict, "commit /a: conflict: somebody else was quicker")
	writer.expect(t, "", "commit", "drop")
}

func TestAHostThatBreaksTheProtocolOfUploadsIsToldHow(t *testing.T) {
	for part, break_ := range map[string]func(upload *hostUpload){
		"chunk 2 came where 1 was due": func(upload *hostUpload) { upload.chunk(2, "x", true) },
		"neither chunk nor ending":     func(upload *hostUpload) { upload.send(&driverpb.WriteRequest{}) },
		"unknown ending 9":             func(upload *hostUpload) { upload.end(9) },
	} {
		writer := &recorder{}
		upload := openUpload(t, servedWriter(t, writer), "/a")
		break_(upload)
		_, err := upload.stream.Recv()
		if known := failure(err); !strings.Contains(known.Error(), part) {
			t.Error(err)
		}
		writer.expect(t, "", "drop")
	}
	client := servedWriter(t, &recorder{})
	stream, _ := client.Write(t.Context())
	_ = stream.Send(&driverpb.WriteRequest{Step: &driverpb.WriteRequest_Chunk{}})
	_, err := stream.Recv()
	wantKind(t, err, protocol.Backend, "begins with its opening")
}

// Holds the drop of a writer until it is told to go on.
type slowDrop struct {
	recorder
	begun, goOn chan struct{}
}

func (s *slowDrop) Drop() {
	close(s.begun)
	<-s.goOn
}

func TestACallWaitsForWritersThatWereDroppedBeforeIt(t *testing.T) {
	writer := &slowDrop{begun: make(chan struct{}), goOn: make(chan struct{})}
	asked := make(chan struct{}, 1)
	client := served(t, &fake{
		writer: func(context.Context, string, storagedriver.WriteMode) (storagedriver.FileWriter, error) {
			return writer, nil
		},
		abort: func(storagedriver.UploadInfo) error { asked <- struct{}{}; return nil },
	})
	ctx, cancel := context.WithCancel(t.Context())
	openUploadIn(t, ctx, client, "/a")
	cancel()
	within(t, writer.begun, "the drop")
	done := make(chan error)
	go func() {
		upload := protocol.UploadMessage(storagedriver.UploadInfo{Path: "/a"})
		_, err := client.AbortUpload(t.Context(), &driverpb.AbortUploadRequest{Upload: upload})
		done <- err
	}()
	select {
	case <-asked:
		t.Error("the driver was asked while the writer was there")
	default:
	}
	close(writer.goOn)
	if err := within(t, done, "the call"); err != nil {
		t.Error(err)
	}
}
