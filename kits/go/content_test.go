package storagedriver_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

func randomBytes(size int) []byte {
	content := make([]byte, size)
	source := rand.NewChaCha8([32]byte{7})
	_, _ = source.Read(content)
	return content
}

// All of a stream of content.
func received(t *testing.T, stream grpc.ServerStreamingClient[driverpb.ContentReply], failed error) (*driverpb.ContentHead, []byte, error) {
	t.Helper()
	if failed != nil {
		t.Fatal(failed)
	}
	var head *driverpb.ContentHead
	var content []byte
	for number := 0; ; number++ {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return head, content, nil
		}
		if err != nil {
			return head, content, err
		}
		if (reply.Head != nil) != (number == 0) || len(reply.Data) > protocol.FrameSize {
			t.Errorf("reply %d: head %v, %d bytes", number, reply.Head, len(reply.Data))
		}
		if number == 0 {
			head = reply.Head
		}
		content = append(content, reply.Data...)
	}
}

func TestContentOfEverySizeCrosses(t *testing.T) {
	for _, size := range []int{0, 1, protocol.FrameSize - 1, protocol.FrameSize, protocol.FrameSize + 1, 64 << 20} {
		var held []byte
		client := served(t, &fake{
			put: func(_ string, content []byte) error { held = content; return nil },
			get: func(string) ([]byte, error) { return held, nil },
			reader: func(path string, options storagedriver.ReadOptions) (*storagedriver.Content, error) {
				return storagedriver.ContentOf(path, held, options)
			},
		})
		content := randomBytes(size)
		stream, err := client.PutContent(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		path := "/a"
		for rest := content; ; {
			piece := rest[:min(len(rest), protocol.FrameSize)]
			rest = rest[len(piece):]
			if err := stream.Send(&driverpb.PutContentRequest{Path: path, Data: piece, Last: len(rest) == 0}); err != nil {
				t.Fatal(err)
			}
			path = ""
			if len(rest) == 0 {
				break
			}
		}
		if _, err := stream.CloseAndRecv(); err != nil || !bytes.Equal(held, content) {
			t.Fatalf("%d bytes put: %d, %v", size, len(held), err)
		}
		got, err := client.GetContent(t.Context(), &driverpb.GetContentRequest{Path: "/a"})
		head, all, err := received(t, got, err)
		if err != nil || head.Size != uint64(size) || !bytes.Equal(all, content) {
			t.Errorf("%d bytes got: %v, %d, %v", size, head, len(all), err)
		}
		read, err := client.Read(t.Context(), &driverpb.ReadRequest{Path: "/a"})
		head, all, err = received(t, read, err)
		if err != nil || head.Size != uint64(size) || !bytes.Equal(all, content) {
			t.Errorf("%d bytes read: %v, %d, %v", size, head, len(all), err)
		}
	}
}

func TestAPutThatEndsBeforeItsLastPieceChangesNothing(t *testing.T) {
	var puts atomic.Int32
	client := served(t, &fake{
		put: func(string, []byte) error { puts.Add(1); return nil },
		get: func(string) ([]byte, error) { return nil, nil },
	})
	stream, _ := client.PutContent(t.Context())
	_ = stream.Send(&driverpb.PutContentRequest{Path: "/a", Data: []byte("x")})
	_, err := stream.CloseAndRecv()
	wantKind(t, err, protocol.Backend, "nothing was changed")

	ctx, cancel := context.WithCancel(t.Context())
	stream, _ = client.PutContent(ctx)
	_ = stream.Send(&driverpb.PutContentRequest{Path: "/a", Data: []byte("x")})
	cancel()
	got, err := client.GetContent(t.Context(), &driverpb.GetContentRequest{Path: "/a"})
	if _, _, err := received(t, got, err); err != nil || puts.Load() != 0 {
		t.Errorf("%v, put %d times", err, puts.Load())
	}
}

func TestAReadIsCutAsAsked(t *testing.T) {
	content := randomBytes(3 << 20)
	client := served(t, &fake{reader: func(path string, options storagedriver.ReadOptions) (*storagedriver.Content, error) {
		if options.Version != "" && options.Version != "v1" {
			return nil, storagedriver.Errorf(storagedriver.Conflict, path, "another version")
		}
		read, err := storagedriver.ContentOf(path, content, options)
		if err == nil {
			read.Version = "v1"
		}
		return read, err
	}})
	size := uint64(len(content))
	length := func(length uint64) *uint64 { return &length }
	for _, each := range []struct {
		offset     uint64
		length     *uint64
		start, end uint64
	}{
		{0, nil, 0, size}, {5, length(7), 5, 12}, {size - 3, length(100), size - 3, size}, {size, nil, size, size},
		{0, length(0), 0, 0}, {9, length(1<<64 - 1), 9, size},
	} {
		stream, err := client.Read(t.Context(), &driverpb.ReadRequest{Path: "/a", Offset: each.offset, Length: each.length})
		head, got, err := received(t, stream, err)
		if err != nil || !bytes.Equal(got, content[each.start:each.end]) || head.Size != size || head.GetVersion() != "v1" {
			t.Errorf("%v: %v, %d bytes, %v", each, head, len(got), err)
		}
	}
	stream, err := client.Read(t.Context(), &driverpb.ReadRequest{Path: "/a", Offset: size + 1})
	_, _, err = received(t, stream, err)
	wantKind(t, err, protocol.InvalidOffset, "/a")
	if known := failure(err); known.Offset != size+1 || known.Size == nil || *known.Size != size {
		t.Errorf("%#v", known)
	}
	version := "v2"
	stream, err = client.Read(t.Context(), &driverpb.ReadRequest{Path: "/a", Version: &version})
	_, _, err = received(t, stream, err)
	wantKind(t, err, protocol.Conflict)
}

// A body that tells whether it was closed, and how far it was read.
type watched struct {
	io.Reader
	read   atomic.Int64
	closed chan struct{}
}

func (w *watched) Read(piece []byte) (int, error) {
	count, err := w.Reader.Read(piece)
	w.read.Add(int64(count))
	return count, err
}

func (w *watched) Close() error {
	close(w.closed)
	return nil
}

func TestContentThatIsTooShortIsNoticedAndTheBodyClosed(t *testing.T) {
	body := &watched{Reader: bytes.NewReader(make([]byte, 10)), closed: make(chan struct{})}
	client := served(t, &fake{reader: func(string, storagedriver.ReadOptions) (*storagedriver.Content, error) {
		return &storagedriver.Content{Size: 11, Body: body}, nil
	}})
	stream, err := client.Read(t.Context(), &driverpb.ReadRequest{Path: "/a"})
	_, _, err = received(t, stream, err)
	wantKind(t, err, protocol.Corrupted, "after 10 of the 11 bytes")
	within(t, body.closed, "the body's end")
}

// Reads zeros for ever.
type zeros struct{}

func (zeros) Read(piece []byte) (int, error) { return len(piece), nil }

func TestASlowReaderHoldsItsOwnStreamAloneAndLittleMemory(t *testing.T) {
	const readers = 20
	var bodies []*watched
	for range readers {
		bodies = append(bodies, &watched{Reader: zeros{}, closed: make(chan struct{})})
	}
	var next atomic.Int32
	client := served(t, &fake{
		reader: func(string, storagedriver.ReadOptions) (*storagedriver.Content, error) {
			return &storagedriver.Content{Size: 1 << 40, Body: bodies[next.Add(1)-1]}, nil
		},
		get: func(string) ([]byte, error) { return randomBytes(5 << 20), nil },
	})
	ctx, cancel := context.WithCancel(t.Context())
	for range readers {
		stream, err := client.Read(ctx, &driverpb.ReadRequest{Path: "/a"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	// With all of them waiting, another one goes on.
	got, err := client.GetContent(t.Context(), &driverpb.GetContentRequest{Path: "/a"})
	if _, content, err := received(t, got, err); err != nil || len(content) != 5<<20 {
		t.Errorf("%d bytes, %v", len(content), err)
	}
	// They come to rest at the window of the stream and the pieces under way.
	for _, body := range bodies {
		before := int64(-1)
		for read := body.read.Load(); read != before; read = body.read.Load() {
			before = read
			time.Sleep(50 * time.Millisecond)
		}
		if before > 2*protocol.StreamWindow+2*protocol.FrameSize {
			t.Errorf("the driver has read %d bytes", before)
		}
	}
	cancel()
	for _, body := range bodies {
		within(t, body.closed, "the body's end")
	}
}
