package distribution

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// Says that this program is to be a driver, and which.
const fakeVariable = "FAKE_DRIVER"

const fakeSecret = "open-sesame-9000"

func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeVariable); mode != "" && os.Getenv(protocol.SocketVariable) != "" {
		fmt.Fprintln(os.Stderr, runFake(mode))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// Is a driver, a bad one in most modes, until the end of standard input.
func runFake(mode string) error {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
		if mode != "stubborn" {
			os.Exit(0)
		}
	}()
	switch mode {
	case "exits":
		fmt.Println("a line of output")
		return fmt.Errorf("I cannot find my configuration; the secret is %s", fakeSecret)
	case "never":
		select {}
	case "slow":
		time.Sleep(500 * time.Millisecond)
	}
	listener, err := net.Listen("unix", os.Getenv(protocol.SocketVariable))
	if err != nil {
		return err
	}
	if mode == "orphan" {
		// It holds the socket's directory and our output, and outlives us unless somebody kills it.
		orphan := exec.Command("sleep", "600")
		orphan.Stdout, orphan.Stderr = os.Stdout, os.Stderr
		if err := orphan.Start(); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "orphan", orphan.Process.Pid)
	}
	if mode == "silent" || mode == "garbage" {
		return takeConnections(listener, mode == "garbage")
	}
	return serveFake(listener, mode)
}

func takeConnections(listener net.Listener, speak bool) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		if speak {
			_, _ = connection.Write([]byte(strings.Repeat("HTTP/1.1 200 OK\r\n", 100)))
		}
	}
}

func serveFake(listener net.Listener, mode string) error {
	server := grpc.NewServer()
	if mode != "another" {
		driverpb.RegisterStorageDriverServer(server, &fake{mode: mode})
	}
	return server.Serve(listener)
}

// A driver that holds nothing, but one upload at a time.
type fake struct {
	driverpb.UnimplementedStorageDriverServer
	mode string

	mu sync.Mutex
	// What was closed and what was committed.
	closed, committed []byte
	// How often an upload was closed.
	closings int
	// How many chunks are refused before one is taken.
	refusals int
	// Methods of redirects, and what came with them.
	redirects []*driverpb.RedirectUrlRequest
}

func (f *fake) Negotiate(_ context.Context, request *driverpb.NegotiateRequest) (*driverpb.NegotiateReply, error) {
	reply := &driverpb.NegotiateReply{
		Version: 1, MinVersion: 1, MaxVersion: 1, Program: "fake 1", Driver: "fake", Capabilities: []string{"redirect", "of tomorrow"},
	}
	if f.mode == "newer" {
		reply.Version, reply.MinVersion, reply.MaxVersion = 0, request.GetMaxVersion()+1, request.GetMaxVersion()+2
	}
	return reply, nil
}

func (f *fake) Open(_ context.Context, request *driverpb.OpenRequest) (*driverpb.OpenReply, error) {
	if f.mode == "picky" {
		text := request.GetParameters()["secretkey"].GetText()
		return nil, protocol.ToStatus(protocol.BadParameter("bucket", "is missing, and the key is "+text))
	}
	return &driverpb.OpenReply{}, nil
}

func (f *fake) Stat(_ context.Context, request *driverpb.StatRequest) (*driverpb.StatReply, error) {
	if f.mode == "mortal" {
		os.Exit(7)
	}
	if request.GetPath() != "/" {
		return nil, protocol.ToStatus(protocol.NotFound(request.GetPath()))
	}
	return &driverpb.StatReply{Info: &driverpb.FileInfo{Path: "/", Kind: driverpb.EntryKind_ENTRY_KIND_DIRECTORY}}, nil
}

// What this process is: its number, environment or arguments. `/slow` takes until the call is given up.
func (f *fake) GetContent(request *driverpb.GetContentRequest, stream grpc.ServerStreamingServer[driverpb.ContentReply]) error {
	var text string
	switch request.GetPath() {
	case "/pid":
		text = fmt.Sprint(os.Getpid())
	case "/environment":
		text = strings.Join(os.Environ(), "\n")
	case "/arguments":
		text = strings.Join(os.Args[1:], "\n")
	case "/short":
		return stream.Send(&driverpb.ContentReply{Head: &driverpb.ContentHead{Size: 10}, Data: []byte("too few")})
	case "/slow":
		<-stream.Context().Done()
		return stream.Context().Err()
	default:
		return errors.New("a plain error")
	}
	return stream.Send(&driverpb.ContentReply{Head: &driverpb.ContentHead{Size: uint64(len(text))}, Data: []byte(text)})
}

func (f *fake) Read(request *driverpb.ReadRequest, stream grpc.ServerStreamingServer[driverpb.ContentReply]) error {
	if request.GetOffset() > 10 {
		return protocol.ToStatus(protocol.OffsetPastEnd(request.GetPath(), request.GetOffset(), 10))
	}
	return stream.Send(&driverpb.ContentReply{Head: &driverpb.ContentHead{Size: 10}, Data: []byte("too few")})
}

func (f *fake) RedirectUrl(_ context.Context, request *driverpb.RedirectUrlRequest) (*driverpb.RedirectUrlReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.redirects = append(f.redirects, request)
	if request.GetMethod() != "GET" {
		return nil, protocol.ToStatus(protocol.Errorf(protocol.Unsupported, request.GetPath(), "not with %s", request.GetMethod()))
	}
	url := "https://storage.example" + request.GetPath()
	return &driverpb.RedirectUrlReply{Url: &url}, nil
}

// Takes chunks as driver.proto says, and refuses some.
func (f *fake) Write(stream grpc.BidiStreamingServer[driverpb.WriteRequest, driverpb.WriteReply]) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	content := []byte{}
	waiting := uint64(1)
	for {
		request, err := stream.Recv()
		if err != nil {
			return nil
		}
		reply := &driverpb.WriteReply{}
		switch step := request.GetStep().(type) {
		case *driverpb.WriteRequest_Open:
			if step.Open.GetMode() == driverpb.WriteMode_WRITE_MODE_APPEND {
				content = append(content, f.closed...)
			}
			reply.Step = &driverpb.WriteReply_Opened{Opened: &driverpb.WriteOpened{Size: uint64(len(content))}}
		case *driverpb.WriteRequest_Chunk:
			if step.Chunk.GetSequence() != waiting {
				continue
			}
			if f.refusals > 0 {
				f.refusals--
				refused := protocol.ErrorMessage(protocol.Errorf(protocol.OutOfSpace, "", "no room"))
				reply.Step = &driverpb.WriteReply_Refused{Refused: &driverpb.WriteRefused{Sequence: waiting, Error: refused}}
				break
			}
			content = append(content, step.Chunk.GetData()...)
			accepted := &driverpb.WriteAccepted{Sequence: waiting, Size: uint64(len(content))}
			reply.Step = &driverpb.WriteReply_Accepted{Accepted: accepted}
			waiting++
		case *driverpb.WriteRequest_Ending:
			return f.end(stream, step.Ending, content)
		}
		if err := stream.Send(reply); err != nil {
			return err
		}
	}
}

func (f *fake) end(stream grpc.BidiStreamingServer[driverpb.WriteRequest, driverpb.WriteReply], how driverpb.WriteEnding, content []byte) error {
	switch how {
	case driverpb.WriteEnding_WRITE_ENDING_CLOSE:
		f.closed = content
		f.closings++
	case driverpb.WriteEnding_WRITE_ENDING_COMMIT:
		if f.mode == "no commit" {
			return protocol.ToStatus(protocol.Errorf(protocol.Unavailable, "", "the backend is gone"))
		}
		f.committed, f.closed = content, nil
	default:
		content, f.closed = nil, nil
	}
	return stream.Send(&driverpb.WriteReply{Step: &driverpb.WriteReply_Ended{Ended: &driverpb.WriteEnded{Size: uint64(len(content))}}})
}

// How often an upload was closed, once no call is under way.
func (f *fake) closes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closings
}

// A driver of this process, and the fake that it is connected to, in this process too.
func newFake(t *testing.T, mode string) (*Driver, *fake) {
	t.Helper()
	socket := t.TempDir() + "/s"
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{mode: mode}
	server := grpc.NewServer()
	driverpb.RegisterStorageDriverServer(server, f)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	made, err := New(context.Background(), map[string]any{"socket": socket, "driver": "fake"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made, f
}
