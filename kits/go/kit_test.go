package storagedriver_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// A driver whose methods a test exchanges.
type fake struct {
	storagedriver.ReadOnly
	stat       func(ctx context.Context, path string) (storagedriver.FileInfo, error)
	list       func(path string) ([]storagedriver.FileInfo, error)
	get        func(path string) ([]byte, error)
	put        func(path string, content []byte) error
	reader     func(path string, options storagedriver.ReadOptions) (*storagedriver.Content, error)
	writer     func(ctx context.Context, path string, mode storagedriver.WriteMode) (storagedriver.FileWriter, error)
	rename     func(from, to string) error
	uploads    func(below string) ([]storagedriver.UploadInfo, error)
	abort      func(upload storagedriver.UploadInfo) error
	guarantees storagedriver.Guarantees
}

func (f *fake) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	return f.stat(ctx, path)
}

func (f *fake) List(_ context.Context, path string) ([]storagedriver.FileInfo, error) {
	return f.list(path)
}

func (f *fake) GetContent(_ context.Context, path string) ([]byte, error) {
	return f.get(path)
}

func (f *fake) PutContent(_ context.Context, path string, content []byte) error {
	return f.put(path, content)
}

func (f *fake) Reader(_ context.Context, path string, options storagedriver.ReadOptions) (*storagedriver.Content, error) {
	return f.reader(path, options)
}

func (f *fake) Writer(ctx context.Context, path string, mode storagedriver.WriteMode) (storagedriver.FileWriter, error) {
	return f.writer(ctx, path, mode)
}

func (f *fake) Rename(_ context.Context, from, to string) error {
	return f.rename(from, to)
}

func (f *fake) Uploads(_ context.Context, below string) ([]storagedriver.UploadInfo, error) {
	return f.uploads(below)
}

func (f *fake) AbortUpload(_ context.Context, upload storagedriver.UploadInfo) error {
	return f.abort(upload)
}

func (f *fake) Guarantees() storagedriver.Guarantees {
	return f.guarantees
}

func factoryOf[D storagedriver.Driver](driver D) storagedriver.Factory[D] {
	return func(context.Context, storagedriver.Parameters) (D, error) { return driver, nil }
}

// A driver that is served on a Unix socket, and a client as a host is: it takes no message above 2 MiB.
func served[D storagedriver.Driver](t *testing.T, driver D) driverpb.StorageDriverClient {
	t.Helper()
	client := unopened(t, storagedriver.NewServer("fake", "1.2.3", factoryOf(driver)))
	if _, err := client.Open(t.Context(), &driverpb.OpenRequest{Driver: "fake"}); err != nil {
		t.Fatal(err)
	}
	return client
}

func unopened(t *testing.T, server *storagedriver.Server) driverpb.StorageDriverClient {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(serving.Wait)
	t.Cleanup(server.Stop)
	return connected(t, socket)
}

func connected(t *testing.T, socket string) driverpb.StorageDriverClient {
	t.Helper()
	connection, err := grpc.NewClient("unix:"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(protocol.MessageSize), grpc.MaxCallSendMsgSize(protocol.MessageSize)),
		grpc.WithInitialWindowSize(protocol.StreamWindow),
		grpc.WithInitialConnWindowSize(protocol.ConnectionWindow),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return driverpb.NewStorageDriverClient(connection)
}

// The error of a call, as a host reads it; nil if there was none.
func failure(err error) *protocol.Error {
	if err == nil {
		return nil
	}
	return protocol.AsError(protocol.FromStatus(err, ""))
}

func wantKind(t *testing.T, err error, kind protocol.Kind, parts ...string) {
	t.Helper()
	known := failure(err)
	if known == nil || known.Kind != kind {
		t.Errorf("%v is not %v", err, kind)
		return
	}
	for _, part := range parts {
		if !strings.Contains(known.Error(), part) {
			t.Errorf("%q does not say %q", known.Error(), part)
		}
	}
}

func file(path string) storagedriver.FileInfo {
	return storagedriver.FileInfo{Path: path, Kind: storagedriver.File, Size: 1, Modified: time.Unix(1, 0)}
}

func directory(path string) storagedriver.FileInfo {
	return storagedriver.FileInfo{Path: path, Kind: storagedriver.Directory}
}

// Waits for what has to come soon. How soon is not measured: it is a test that hangs otherwise.
func within[T any](t *testing.T, channel <-chan T, what string) (value T) {
	t.Helper()
	select {
	case value = <-channel:
	case <-time.After(20 * time.Second):
		t.Fatalf("waited in vain: %s", what)
	}
	return value
}

// This program is also the executable of a driver, for the tests that start one.
func TestMain(m *testing.M) {
	if os.Getenv(driverVariable) != "" {
		serveProcess()
	}
	os.Exit(m.Run())
}
