package distribution

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// How long a process has after the end of its standard input.
const grace = time.Second

// The registry's own configuration can come by variables of this prefix, secrets among it. A driver gets its parameters over the
// socket.
const registryVariables = "REGISTRY_"

// The process of a driver, alone with its descendants in a process group.
type process struct {
	command  *exec.Cmd
	output   output
	lifeline io.Closer
	// Closed when the process was waited for.
	ended chan struct{}

	mu     sync.Mutex
	reaped bool
	// Why it ended, once it did.
	status string
}

// Starts the executable, to serve on the socket.
func startProcess(driver, executable, socket string, hidden secrets) (*process, error) {
	p := &process{command: exec.Command(executable), ended: make(chan struct{}), output: output{secrets: hidden}}
	p.command.Env = driverEnvironment(socket)
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}

	var streams [2]*os.File
	var ours, theirs []io.Closer
	closeAll := func(files []io.Closer) {
		for _, file := range files {
			_ = file.Close()
		}
	}
	// Pipes of our own: Wait would close those of the library, and lose what the process wrote last.
	for at, theirEnd := range []*io.Writer{&p.command.Stdout, &p.command.Stderr} {
		reader, writer, err := os.Pipe()
		if err != nil {
			closeAll(append(ours, theirs...))
			return nil, err
		}
		streams[at], *theirEnd = reader, writer
		ours, theirs = append(ours, reader), append(theirs, writer)
	}
	lifeline, err := p.command.StdinPipe()
	if err == nil {
		err = p.command.Start()
	}
	closeAll(theirs)
	if err != nil {
		closeAll(ours)
		return nil, fmt.Errorf("cannot start %s: %w", executable, err)
	}
	p.lifeline = lifeline
	log := logrus.WithFields(logrus.Fields{"storagedriver": driver, "storagedriver.pid": p.command.Process.Pid})
	for at, stream := range streams {
		p.output.follow(stream, log, at == 1)
	}
	go p.wait()
	return p, nil
}

func driverEnvironment(socket string) []string {
	var environment []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, registryVariables) {
			environment = append(environment, variable)
		}
	}
	return append(environment, protocol.SocketVariable+"="+socket, protocol.LifelineVariable+"="+protocol.LifelineStdin)
}

func (p *process) wait() {
	// Until it is waited for, its number is no other's: so its descendants go first.
	if waitUntilExit(p.command.Process.Pid) {
		p.kill()
	}
	err := p.command.Wait()
	p.output.finish()
	p.mu.Lock()
	p.reaped = true
	p.status = p.command.ProcessState.String()
	if err != nil && p.command.ProcessState == nil {
		p.status = err.Error()
	}
	p.mu.Unlock()
	close(p.ended)
}

// Kills what is left of the process group.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL)
	}
}

// Ends the process: by its standard input, and after a second by force. Returns when it is gone.
func (p *process) end() {
	_ = p.lifeline.Close()
	select {
	case <-p.ended:
		return
	case <-time.After(grace):
	}
	p.kill()
	<-p.ended
}

// How it ended, with what it wrote last, for an error. Only after it did.
func (p *process) epitaph() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status + p.output.lastWords()
}
