package distribution

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

const (
	// Of a longer line the rest is dropped; in bytes.
	longestLine = 4096
	// How many of the last lines of standard error are told when a process has died, and of how many bytes each.
	lastLines = 5
	lastLine  = 300
	// How long is waited for the rest of what a process wrote once it is dead. Another process may go on writing.
	lastReads = 200 * time.Millisecond
)

// What a driver's process writes: lines for the log.
type output struct {
	secrets secrets
	readers []*os.File
	done    sync.WaitGroup

	mu   sync.Mutex
	last []string
}

// Passes what comes from the stream on to the log, until its end.
func (o *output) follow(stream *os.File, log *logrus.Entry, isError bool) {
	o.readers = append(o.readers, stream)
	o.done.Go(func() {
		defer stream.Close()
		lines := bufio.NewReaderSize(stream, longestLine)
		for {
			line, err := readLine(lines)
			if line = o.secrets.hide(line); line != "" {
				if isError {
					o.remember(line)
				}
				log.Info(line)
			}
			if err != nil {
				return
			}
		}
	})
}

// The next line without its end, cut at longestLine.
func readLine(lines *bufio.Reader) (string, error) {
	line, isPrefix, err := lines.ReadLine()
	text := strings.ToValidUTF8(strings.TrimRight(string(line), "\r\n"), "\uFFFD")
	for isPrefix && err == nil {
		_, isPrefix, err = lines.ReadLine()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return text, io.EOF
	}
	return text, err
}

func (o *output) remember(line string) {
	if len(line) > lastLine {
		line = strings.ToValidUTF8(line[:lastLine], "") + "…"
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.last) == lastLines {
		o.last = o.last[1:]
	}
	o.last = append(o.last, line)
}

// Called when the process is dead: reads the rest, for a while.
func (o *output) finish() {
	for _, reader := range o.readers {
		// Where a pipe takes no deadline, whoever holds its other end decides.
		_ = reader.SetReadDeadline(time.Now().Add(lastReads))
	}
	o.done.Wait()
}

// The last lines of standard error, for an error; empty if there are none.
func (o *output) lastWords() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.last) == 0 {
		return ""
	}
	return "; it wrote last: " + strings.Join(o.last, " | ")
}
