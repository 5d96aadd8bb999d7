package distribution

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

func openWriter(t *testing.T, made *Driver, append bool) storagedriver.FileWriter {
	t.Helper()
	writer, err := made.Writer(context.Background(), "/upload", append)
	if err != nil {
		t.Fatal(err)
	}
	return writer
}

func write(t *testing.T, writer storagedriver.FileWriter, content []byte) {
	t.Helper()
	if count, err := writer.Write(content); err != nil || count != len(content) {
		t.Fatalf("%d of %d bytes: %v", count, len(content), err)
	}
}

func someBytes(size int) []byte {
	content := make([]byte, size)
	for at := range content {
		content[at] = byte(rand.Uint32())
	}
	return content
}

func isEnded(err error, how string) bool {
	_, is := err.(storagedriver.Error)
	return is && strings.Contains(err.Error(), "already "+how)
}

func TestAWriterIsClosedAndResumed(t *testing.T) {
	made, fake := newFake(t, "good")
	content := someBytes(7*protocol.FrameSize + 12345)
	half := len(content) / 2
	writer := openWriter(t, made, false)
	for part := range slices.Chunk(content[:half], 32<<10) {
		write(t, writer, part)
	}
	if writer.Size() != int64(half) {
		t.Errorf("%d bytes", writer.Size())
	}
	if err := writer.Close(); err != nil || writer.Size() != int64(half) {
		t.Errorf("%d bytes: %v", writer.Size(), err)
	}
	if err := writer.Close(); !isEnded(err, "closed") {
		t.Error(err)
	}
	for _, err := range []error{writer.Commit(context.Background()), writer.Cancel(context.Background())} {
		if !isEnded(err, "closed") {
			t.Error(err)
		}
	}
	writer = openWriter(t, made, true)
	if writer.Size() != int64(half) {
		t.Errorf("%d bytes", writer.Size())
	}
	write(t, writer, content[half:])
	if err := writer.Commit(context.Background()); err != nil || writer.Size() != int64(len(content)) {
		t.Errorf("%d bytes: %v", writer.Size(), err)
	}
	if !bytes.Equal(fake.committed, content) {
		t.Error("another content was committed")
	}
	if _, err := writer.Write(content); !isEnded(err, "committed") {
		t.Error(err)
	}
	// As the registry always does; only once more is one too many.
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
	if err := writer.Close(); !isEnded(err, "closed") {
		t.Error(err)
	}
	if writer.Size() != int64(len(content)) {
		t.Errorf("%d bytes", writer.Size())
	}
}

func TestACancelledWriterLeavesNothing(t *testing.T) {
	made, fake := newFake(t, "good")
	writer := openWriter(t, made, false)
	write(t, writer, someBytes(10))
	if err := writer.Cancel(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := writer.Write([]byte("x")); !isEnded(err, "cancelled") {
		t.Error(err)
	}
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
	if fake.closed != nil || fake.committed != nil {
		t.Error("something is left")
	}
}

func TestARefusedChunkIsToldOnceAndSentAgain(t *testing.T) {
	made, fake := newFake(t, "good")
	content := someBytes(20 * protocol.FrameSize)
	writer := openWriter(t, made, false)
	fake.refusals = 1
	taken, told := 0, 0
	for taken < len(content) {
		count, err := writer.Write(content[taken:min(taken+300_000, len(content))])
		taken += count
		if err != nil {
			told++
			if !strings.Contains(err.Error(), "fake: out of space: no room") {
				t.Fatal(err)
			}
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	if err := writer.Commit(context.Background()); err != nil || !bytes.Equal(fake.committed, content) {
		t.Errorf("%d bytes committed: %v", len(fake.committed), err)
	}
}

// Nobody was told: the ending tries once more by itself.
func TestAnEndingSendsARefusedChunkAgain(t *testing.T) {
	made, fake := newFake(t, "good")
	writer := openWriter(t, made, false)
	fake.refusals = 1
	write(t, writer, []byte("content"))
	if err := writer.Commit(context.Background()); err != nil || string(fake.committed) != "content" {
		t.Errorf("%q: %v", fake.committed, err)
	}
}

// Less than was written is never committed; a close keeps what there is.
func TestACommitWithoutAllThatWasWrittenFails(t *testing.T) {
	made, fake := newFake(t, "good")
	writer := openWriter(t, made, false)
	write(t, writer, someBytes(protocol.FrameSize))
	write(t, writer, []byte("x"))
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	kept := len(fake.closed)
	writer = openWriter(t, made, true)
	fake.refusals = 1000
	write(t, writer, []byte("more"))
	if err := writer.Commit(context.Background()); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Error(err)
	}
	if fake.committed != nil {
		t.Error("it was committed")
	}
	if err := writer.Close(); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Error(err)
	}
	if len(fake.closed) != kept || writer.Size() != int64(kept) {
		t.Errorf("%d bytes were kept of %d, and the size is %d", len(fake.closed), kept, writer.Size())
	}
}

func TestAFailedCommitIsToldAndEndsTheWriter(t *testing.T) {
	made, _ := newFake(t, "no commit")
	writer := openWriter(t, made, false)
	write(t, writer, []byte("content"))
	if err := writer.Commit(context.Background()); err == nil || !strings.Contains(err.Error(), "the backend is gone") {
		t.Error(err)
	}
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
}

// The client goes away in the middle of its request: the registry closes the upload under the context of that request.
func TestACloseAfterTheRequestIsOverKeepsWhatCame(t *testing.T) {
	made, fake := newFake(t, "good")
	ctx, cancel := context.WithCancel(context.Background())
	writer, err := made.Writer(ctx, "/upload", false)
	if err != nil {
		t.Fatal(err)
	}
	write(t, writer, []byte("what came"))
	cancel()
	write(t, writer, []byte(" and more"))
	if err := writer.Close(); err != nil || string(fake.closed) != "what came and more" {
		t.Errorf("%q: %v", fake.closed, err)
	}
	if _, err := made.Writer(ctx, "/upload", true); err == nil {
		t.Error("a writer was opened for nobody")
	}
}

// The registry asks for the size of an upload by opening and closing it, also while another request writes to it.
func TestAnUploadThatIsOnlyLookedAtIsNotClosed(t *testing.T) {
	made, fake := newFake(t, "good")
	writer := openWriter(t, made, false)
	write(t, writer, []byte("content"))
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	writer = openWriter(t, made, true)
	if err := writer.Close(); err != nil || writer.Size() != int64(len("content")) {
		t.Errorf("%d bytes: %v", writer.Size(), err)
	}
	if err := writer.Close(); !isEnded(err, "closed") {
		t.Error(err)
	}
	if fake.closes() != 1 {
		t.Errorf("closed %d times", fake.closes())
	}
}
