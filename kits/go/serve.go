package storagedriver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// How long a driver that ends waits for its writers to be dropped. A host waits a second, and then kills.
const lastWait = 700 * time.Millisecond

// Serve is the whole main of a driver: it serves the driver of this name until the host ends it, and does not return.
//
// Started by a host, it listens on the socket of STORAGEDRIVER_SOCKET, gets the parameters from there, and ends with standard
// input. Started by hand, it takes the parameters as a JSON map in the first argument, opens the driver, and prints the path of
// the socket: that of `--socket PATH`, or one in a new private directory.
//
//	func main() {
//		storagedriver.Serve("example", "1.0.0", openExample)
//	}
func Serve[D Driver](name, version string, factory Factory[D]) {
	log.SetFlags(0)
	err := run(NewServer(name, version, factory), os.Args[1:])
	if err != nil {
		log.Printf("registry-storage-%s: %v", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(server *Server, arguments []string) error {
	socket, lifeline := os.Getenv(protocol.SocketVariable), os.Getenv(protocol.LifelineVariable)
	// They are for this process, not for those that it starts.
	for _, variable := range []string{protocol.SocketVariable, protocol.LifelineVariable} {
		if err := os.Unsetenv(variable); err != nil {
			return err
		}
	}
	if socket == "" {
		return runByHand(server, arguments)
	}
	if lifeline != "" && lifeline != protocol.LifelineStdin {
		return fmt.Errorf("%s is %q, and this driver knows only %q", protocol.LifelineVariable, lifeline, protocol.LifelineStdin)
	}
	listener, err := listen(socket)
	if err != nil {
		return err
	}
	end := make(chan struct{})
	if lifeline != "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(end)
		}()
	}
	return serveUntil(server, listener, end)
}

// Serves until the end comes, or SIGINT or SIGTERM.
func serveUntil(server *Server, listener net.Listener, end <-chan struct{}) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-end:
	case <-signals:
	}
	stopped := make(chan struct{})
	go func() {
		server.Stop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(lastWait):
	}
	return nil
}

func runByHand(server *Server, arguments []string) error {
	parameters, socket, err := readArguments(arguments)
	if err != nil {
		return err
	}
	if socket == "" {
		directory, err := os.MkdirTemp("", "storagedriver-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(directory) }()
		socket = filepath.Join(directory, "socket")
	}
	listener, err := listen(socket)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	err = caught(func() error { return server.Open(context.Background(), parameters) })
	if err != nil {
		return err
	}
	fmt.Println(socket)
	return serveUntil(server, listener, nil)
}

// The parameters and the socket of a driver that is started by hand. No error repeats an argument: there may be secrets.
func readArguments(arguments []string) (parameters Parameters, socket string, err error) {
	const usage = "usage: registry-storage-<name> '{\"parameter\": \"value\", …}' [--socket PATH]; a host sets " + protocol.SocketVariable + " instead"
	if len(arguments) == 0 {
		return nil, "", errors.New(usage)
	}
	for rest := arguments[1:]; len(rest) > 0; rest = rest[1:] {
		value, isJoined := strings.CutPrefix(rest[0], "--socket=")
		switch {
		case isJoined && value != "":
			socket = value
		case rest[0] == "--socket" && len(rest) > 1:
			socket, rest = rest[1], rest[1:]
		default:
			return nil, "", errors.New(usage)
		}
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(arguments[0])))
	decoder.UseNumber()
	var values map[string]any
	if decoder.Decode(&values) != nil || values == nil || decoder.More() {
		return nil, "", fmt.Errorf("the first argument is no JSON map; %s", usage)
	}
	messages, err := protocol.Values(values)
	if err != nil {
		return nil, "", err
	}
	return protocol.FromValues(messages), socket, nil
}
