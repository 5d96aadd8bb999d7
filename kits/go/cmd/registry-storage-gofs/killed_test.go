package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

const driverVariable = "STORAGEDRIVER_GOFS_TEST"

// This program is also the driver, for the tests that kill one.
func TestMain(m *testing.M) {
	if os.Getenv(driverVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

// Starts the driver, gives what opens it, and kills it at the end.
func started(t *testing.T, root string) (driverpb.StorageDriverClient, *exec.Cmd) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "socket")
	command := exec.Command(program)
	command.Env = append(os.Environ(), driverVariable+"=1", protocol.SocketVariable+"="+socket)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	// gRPC itself waits a second before it tries again.
	for range 1000 {
		if probe, err := net.Dial("unix", socket); err == nil {
			_ = probe.Close()
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	connection, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	client := driverpb.NewStorageDriverClient(connection)
	parameters, _ := protocol.Values(map[string]any{"rootdirectory": root})
	if _, err := client.Open(t.Context(), &driverpb.OpenRequest{Parameters: parameters}); err != nil {
		t.Fatal(err)
	}
	return client, command
}

// Content that tells its number, and whether it is whole.
func numbered(number int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%08d", number), 2000)
}

func put(ctx context.Context, client driverpb.StorageDriverClient, path string, content []byte) error {
	stream, err := client.PutContent(ctx)
	if err != nil {
		return err
	}
	// Should it fail, the reply says why.
	_ = stream.Send(&driverpb.PutContentRequest{Path: path, Data: content, Last: true})
	_, err = stream.CloseAndRecv()
	return err
}

// Opens an upload, writes to it, and ends it; what it gives is where the upload was opened.
func write(ctx context.Context, client driverpb.StorageDriverClient, path string, mode driverpb.WriteMode, content []byte, ending driverpb.WriteEnding) (uint64, error) {
	stream, err := client.Write(ctx)
	if err != nil {
		return 0, err
	}
	for _, request := range []*driverpb.WriteRequest{
		{Step: &driverpb.WriteRequest_Open{Open: &driverpb.WriteOpen{Path: path, Mode: mode}}},
		{Step: &driverpb.WriteRequest_Chunk{Chunk: &driverpb.WriteChunk{Sequence: 1, Data: content, Last: true}}},
		{Step: &driverpb.WriteRequest_Ending{Ending: ending}},
	} {
		_ = stream.Send(request)
	}
	var opened uint64
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return opened, nil
		}
		if err != nil {
			return opened, err
		}
		if reply.GetRefused() != nil {
			return opened, protocol.FromErrorMessage(reply.GetRefused().Error)
		}
		opened = max(opened, reply.GetOpened().GetSize())
	}
}

func get(t *testing.T, client driverpb.StorageDriverClient, path string) []byte {
	t.Helper()
	stream, err := client.GetContent(t.Context(), &driverpb.GetContentRequest{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	var content []byte
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return content
		}
		if err != nil {
			t.Fatal(path, err)
		}
		content = append(content, reply.Data...)
	}
}

// The last number whose call was acknowledged, and the last that was tried.
type progress struct{ acknowledged, tried int }

// Tries numbers until a call fails, which must be because the driver was killed.
func (p *progress) run(t *testing.T, step func(number int) error) {
	for {
		p.tried++
		if err := step(p.tried); err != nil {
			if known := protocol.AsError(protocol.FromStatus(err, "")); known.Kind != protocol.Unavailable {
				t.Error(err)
			}
			return
		}
		p.acknowledged = p.tried
	}
}

func (p *progress) expect(t *testing.T, what string, found int) {
	t.Helper()
	if found < p.acknowledged || found > p.tried {
		t.Errorf("%s: found %d, acknowledged %d, tried %d", what, found, p.acknowledged, p.tried)
	}
	p.acknowledged, p.tried = found, found
}

func TestWhatWasAcknowledgedIsThereWhenTheDriverWasKilled(t *testing.T) {
	rounds := 15
	if os.Getenv("STORAGEDRIVER_FULL") == "1" {
		rounds = 100
	}
	const closing, committing = driverpb.WriteEnding_WRITE_ENDING_CLOSE, driverpb.WriteEnding_WRITE_ENDING_COMMIT
	const creating, appending = driverpb.WriteMode_WRITE_MODE_CREATE, driverpb.WriteMode_WRITE_MODE_APPEND
	root := filepath.Join(t.TempDir(), "root")
	client, command := started(t, root)
	ctx := t.Context()
	var puts, commits, closes progress
	size := len(numbered(0))
	if err := put(ctx, client, "/a/put", numbered(0)); err != nil {
		t.Fatal(err)
	}
	for path, ending := range map[string]driverpb.WriteEnding{"/a/commit": committing, "/a/close": closing} {
		if _, err := write(ctx, client, path, creating, numbered(0), ending); err != nil {
			t.Fatal(err)
		}
	}
	for range rounds {
		var running sync.WaitGroup
		running.Go(func() {
			puts.run(t, func(number int) error { return put(ctx, client, "/a/put", numbered(number)) })
		})
		running.Go(func() {
			commits.run(t, func(number int) error {
				_, err := write(ctx, client, "/a/commit", creating, numbered(number), committing)
				return err
			})
		})
		running.Go(func() {
			closes.run(t, func(number int) error {
				_, err := write(ctx, client, "/a/close", appending, numbered(number), closing)
				return err
			})
		})
		time.Sleep(rand.N(60 * time.Millisecond))
		if err := command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		running.Wait()

		client, command = started(t, root)
		for path, progress := range map[string]*progress{"/a/put": &puts, "/a/commit": &commits} {
			content := get(t, client, path)
			var found int
			_, _ = fmt.Sscanf(string(content), "%8d", &found)
			if !bytes.Equal(content, numbered(found)) {
				t.Fatalf("%s is torn: %d bytes", path, len(content))
			}
			progress.expect(t, path, found)
		}
		opened, err := write(ctx, client, "/a/close", appending, nil, closing)
		if err != nil || opened%uint64(size) != 0 {
			t.Fatalf("the upload was opened at %d: %v", opened, err)
		}
		closes.expect(t, "/a/close", int(opened)/size-1)
	}
	if _, err := write(ctx, client, "/a/close", appending, nil, committing); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for number := range closes.acknowledged + 1 {
		all = append(all, numbered(number)...)
	}
	if content := get(t, client, "/a/close"); !bytes.Equal(content, all) {
		t.Errorf("the upload has %d bytes, and %d were written", len(content), len(all))
	}
	t.Logf("%d puts, %d commits, %d closes, %d kills", puts.acknowledged, commits.acknowledged, closes.acknowledged, rounds)
}

func TestANameOfAStagedFileIsTextAndBack(t *testing.T) {
	for _, name := range []staged{
		{upload: 1, sequence: 2}, {upload: 1, sequence: 2, isPut: true}, {upload: 1, sequence: 2, isClosed: true},
		{upload: 1 << 63, sequence: 1<<64 - 1, isClosed: true, size: 1<<64 - 1, base: "1-2-3"},
	} {
		if again, ok := parseStaged(name.String()); !ok || again != name {
			t.Errorf("%s became %v", name, again)
		}
	}
	for _, foreign := range []string{
		"", "~", "a", "~1.2.open", "~0000000000000001.0000000000000002.x", "~0000000000000001.0000000000000002.open.x",
		"~0000000000000001.0000000000000002.5./../../x", "0000000000000001.0000000000000002.5", "~0000000000000001.0000000000000002.05",
	} {
		if found, ok := parseStaged(foreign); ok {
			t.Errorf("%q was taken for %v", foreign, found)
		}
	}
}
