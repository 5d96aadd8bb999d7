package storagedriver_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// Set for a process of this program that is to be a driver.
const driverVariable = "STORAGEDRIVER_KIT_TEST"

// Leaves a file when its writer is dropped.
type traceWriter struct {
	recorder
	trace string
}

func (w *traceWriter) Drop() {
	_ = os.WriteFile(w.trace, []byte("dropped"), 0o600)
}

func serveProcess() {
	storagedriver.Serve("fake", "1", func(_ context.Context, parameters storagedriver.Parameters) (*fake, error) {
		if _, err := parameters.Integer("secretkey", 0); err != nil {
			return nil, err
		}
		trace, err := parameters.Text("trace", "")
		driver := &fake{
			stat: func(context.Context, string) (storagedriver.FileInfo, error) { return directory("/"), nil },
			writer: func(context.Context, string, storagedriver.WriteMode) (storagedriver.FileWriter, error) {
				return &traceWriter{trace: trace}, nil
			},
		}
		if os.Getenv(protocol.SocketVariable) != "" {
			err = errors.New("the variables are passed on")
		}
		return driver, errors.Join(err, parameters.Only("secretkey", "trace"))
	})
}

type process struct {
	command        *exec.Cmd
	stdin          io.WriteCloser
	stdout, stderr bytes.Buffer
	ended          chan error
}

func start(t *testing.T, environment []string, arguments ...string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{command: exec.Command(program, arguments...), ended: make(chan error, 1)}
	p.command.Env = append(append(os.Environ(), driverVariable+"=1"), environment...)
	p.command.Stdout, p.command.Stderr = &p.stdout, &p.stderr
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.command.Process.Kill() })
	go func() { p.ended <- p.command.Wait() }()
	return p
}

func hosted(t *testing.T, socket string) *process {
	return start(t, []string{protocol.SocketVariable + "=" + socket, protocol.LifelineVariable + "=stdin"})
}

// A client, as soon as the socket is there.
func waitFor(t *testing.T, socket string) driverpb.StorageDriverClient {
	t.Helper()
	for range 1000 {
		if connection, err := net.Dial("unix", socket); err == nil {
			_ = connection.Close()
			return connected(t, socket)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the driver does not listen")
	return nil
}

func TestTheEndOfStandardInputDropsTheWritersAndEndsTheDriver(t *testing.T) {
	place := t.TempDir()
	socket, trace := filepath.Join(place, "socket"), filepath.Join(place, "trace")
	driver := hosted(t, socket)
	client := waitFor(t, socket)
	parameters, _ := protocol.Values(map[string]any{"trace": trace})
	if _, err := client.Open(t.Context(), &driverpb.OpenRequest{Parameters: parameters}); err != nil {
		t.Fatal(err)
	}
	upload := openUpload(t, client, "/a")
	if err := driver.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := within(t, driver.ended, "the end of the driver"); err != nil {
		t.Error(err, driver.stderr.String())
	}
	if _, err := upload.stream.Recv(); failure(err).Kind != protocol.Unavailable {
		t.Error(err)
	}
	if _, err := os.Stat(trace); err != nil {
		t.Error("the writer was not dropped")
	}
	if _, err := os.Lstat(socket); err == nil {
		t.Error("the socket is left")
	}
}

func TestAnUnknownLifelineIsRefused(t *testing.T) {
	driver := start(t, []string{protocol.SocketVariable + "=" + filepath.Join(t.TempDir(), "socket"), protocol.LifelineVariable + "=pipe"})
	if within(t, driver.ended, "the end") == nil || !strings.Contains(driver.stderr.String(), `"pipe"`) {
		t.Error(driver.stderr.String())
	}
}

func TestByHandTheSocketIsPrintedAndPrivate(t *testing.T) {
	given := filepath.Join(t.TempDir(), "given")
	for _, arguments := range [][]string{{`{"secretkey": 7}`}, {`{}`, "--socket", given}, {`{}`, "--socket=" + given}} {
		program, _ := os.Executable()
		command := exec.Command(program, arguments...)
		command.Env = append(os.Environ(), driverVariable+"=1")
		stdout, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = command.Process.Kill() })
		line, err := bufio.NewReader(stdout).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		socket := strings.TrimSuffix(line, "\n")
		if len(arguments) > 1 && socket != given {
			t.Errorf("%q", socket)
		}
		found, err := os.Lstat(socket)
		if err != nil || found.Mode() != os.ModeSocket|0o600 {
			t.Errorf("%v, %v", found.Mode(), err)
		}
		// Open it is: a host on a second connection says nothing.
		client := connected(t, socket)
		if _, err := client.Open(t.Context(), &driverpb.OpenRequest{}); err != nil {
			t.Error(err)
		}
		if _, err := client.Health(t.Context(), &driverpb.HealthRequest{}); err != nil {
			t.Error(err)
		}
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- command.Wait() }()
		if err := within(t, ended, "the end"); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(socket); err == nil {
			t.Error("the socket is left")
		}
		if len(arguments) == 1 {
			if _, err := os.Lstat(filepath.Dir(socket)); err == nil {
				t.Error("the directory is left")
			}
		}
	}
}

func TestADeadSocketIsReplacedAndALiveOneIsNot(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	killed := hosted(t, socket)
	waitFor(t, socket)
	_ = killed.command.Process.Kill()
	within(t, killed.ended, "the end")
	hosted(t, socket)
	waitFor(t, socket)
	second := hosted(t, socket)
	if within(t, second.ended, "the end") == nil || !strings.Contains(second.stderr.String(), "another process listens") {
		t.Error(second.stderr.String())
	}
}

func TestWhatIsWrongByHandIsSaidWithoutSecrets(t *testing.T) {
	for part, arguments := range map[string][]string{
		"usage":               {},
		"no JSON map":         {`{"secretkey": "hunter2"`},
		"is no JSON map":      {`["hunter2"]`},
		"JSON map":            {`null`},
		"usage:":              {`{}`, "hunter2"},
		"usage: ":             {`{}`, "--socket"},
		"secretkey":           {`{"secretkey": "hunter2"}`},
		"is not known":        {`{"secretky": "hunter2"}`},
		"is a number out of ": {`{"secretkey": 1e999}`},
	} {
		driver := start(t, nil, arguments...)
		ended := within(t, driver.ended, "the end")
		said := driver.stderr.String() + driver.stdout.String()
		if ended == nil || !strings.Contains(said, part) || strings.Contains(said, "hunter2") {
			t.Errorf("%q: %v, %s", part, ended, said)
		}
	}
}

func TestSecretsAreInNoMessageOfAHostedDriver(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	driver := hosted(t, socket)
	client := waitFor(t, socket)
	parameters, _ := protocol.Values(map[string]any{"secretkey": "hunter2"})
	_, err := client.Open(t.Context(), &driverpb.OpenRequest{Parameters: parameters})
	wantKind(t, err, protocol.InvalidParameter, "secretkey")
	_ = driver.stdin.Close()
	within(t, driver.ended, "the end")
	if said := err.Error() + driver.stderr.String() + driver.stdout.String(); strings.Contains(said, "hunter2") {
		t.Error(said)
	}
}

// A host pings every 10 s, also when nothing is called. These come more often, and a server that does not permit them closes the
// connection at the third.
func TestPingsWithoutACallAreAnswered(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	hosted(t, socket)
	waitFor(t, socket)
	connection, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(connection, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(connection, connection)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	for number := range byte(6) {
		if err := framer.WritePing(false, [8]byte{number}); err != nil {
			t.Fatal(err)
		}
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if away, ok := frame.(*http2.GoAwayFrame); ok {
				t.Fatalf("after %d pings: %v %s", number, away.ErrCode, away.DebugData())
			}
			if ping, ok := frame.(*http2.PingFrame); ok && ping.IsAck() && ping.Data[0] == number {
				break
			}
		}
	}
}
