//go:build conformance

package distribution

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// A registry of cmd/registry, in a process of its own.
type registry struct {
	t       *testing.T
	section map[string]any
	address string
	config  string
	log     string
	process *exec.Cmd
}

func newRegistry(t *testing.T, section map[string]any) *registry {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	place := t.TempDir()
	r := &registry{
		t: t, section: section, address: address,
		config: filepath.Join(place, "config.yml"), log: filepath.Join(place, "log"),
	}
	text, err := yaml.Marshal(map[string]any{
		"version": "0.1",
		"storage": map[string]any{Name: section, "delete": map[string]any{"enabled": true}},
		"http":    map[string]any{"addr": address, "secret": "not secret"},
		"log":     map[string]any{"accesslog": map[string]any{"disabled": true}},
		"health":  map[string]any{"storagedriver": map[string]any{"enabled": true}},
	})
	if err == nil {
		err = os.WriteFile(r.config, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(r.log)
			for line := range strings.Lines(string(log)) {
				if !strings.Contains(line, "level=info") && !strings.Contains(line, "response completed") {
					t.Log(strings.TrimSpace(line))
				}
			}
		}
	})
	r.start()
	t.Cleanup(func() { r.stop(syscall.SIGTERM) })
	return r
}

func (r *registry) start() {
	r.t.Helper()
	log, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	r.process = exec.Command(needed(r.t, registryVariable), "serve", r.config)
	r.process.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	r.process.Stdout, r.process.Stderr = log, log
	if err := r.process.Start(); err != nil {
		r.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		reply, err := http.Get("http://" + r.address + "/v2/")
		if err == nil {
			_ = reply.Body.Close()
			return
		}
		if time.Now().After(end) {
			r.t.Fatal(err)
		}
	}
}

// Ends the registry, and sees that its driver ends with it.
func (r *registry) stop(signal syscall.Signal) {
	r.t.Helper()
	if r.process == nil {
		return
	}
	drivers := r.drivers()
	_ = r.process.Process.Signal(signal)
	_ = r.process.Wait()
	r.process = nil
	if len(drivers) != 1 {
		r.t.Errorf("the registry had the drivers %v", drivers)
	}
	for _, pid := range drivers {
		awaitEnd(r.t, pid)
	}
}

// The processes that the registry started.
func (r *registry) drivers() []int {
	var found []int
	places, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, place := range places {
		text, err := os.ReadFile(place)
		if err != nil {
			continue
		}
		// The name, in parentheses, may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(r.process.Process.Pid) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(place)))
			found = append(found, pid)
		}
	}
	return found
}

// Waits a second at most until a process has ended; whose zombie it is then is not our business.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || bytes.Contains(text, []byte(") Z ")) {
			return
		}
		if time.Now().After(end) {
			t.Errorf("the driver's process %d outlives the registry", pid)
			return
		}
	}
}

// Runs the registry's collector.
func (r *registry) collect(arguments ...string) string {
	r.t.Helper()
	command := exec.Command(needed(r.t, registryVariable), append(append([]string{"garbage-collect"}, arguments...), r.config)...)
	text, err := command.CombinedOutput()
	if err != nil {
		r.t.Fatalf("garbage-collect: %v\n%s", err, text)
	}
	return string(text)
}

// Runs the client on the registry; names in arguments begin with `@`.
func (r *registry) client(arguments ...string) (string, error) {
	r.t.Helper()
	for at, argument := range arguments {
		if name, is := strings.CutPrefix(argument, "@"); is {
			arguments[at] = r.address + "/" + name
		}
	}
	command := exec.Command(needed(r.t, clientVariable), arguments...)
	var failed bytes.Buffer
	command.Stderr = &failed
	text, err := command.Output()
	if err != nil {
		err = fmt.Errorf("%v: %w\n%s", arguments, err, failed.String())
	}
	return strings.TrimSpace(string(text)), err
}

func (r *registry) must(arguments ...string) string {
	r.t.Helper()
	text, err := r.client(arguments...)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

// Pushes an image with one layer that holds the content.
func (r *registry) push(name string, content []byte) {
	r.t.Helper()
	file := filepath.Join(r.t.TempDir(), "layer.tar")
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	err := archive.WriteHeader(&tar.Header{Name: "content", Mode: 0o644, Size: int64(len(content))})
	if err == nil {
		_, err = archive.Write(content)
	}
	if err == nil {
		err = archive.Close()
	}
	if err == nil {
		err = os.WriteFile(file, layer.Bytes(), 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.must("append", "--new_layer", file, "--new_tag", "@"+name)
}

// A request without redirects.
func (r *registry) do(method, at string, body []byte, headers ...string) *http.Response {
	r.t.Helper()
	if strings.HasPrefix(at, "/") {
		at = "http://" + r.address + at
	}
	request, err := http.NewRequest(method, at, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for pair := 0; pair < len(headers); pair += 2 {
		request.Header.Set(headers[pair], headers[pair+1])
	}
	reply, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = reply.Body.Close() })
	return reply
}

// The same, of a status that is expected.
func (r *registry) expect(status int, method, at string, body []byte, headers ...string) *http.Response {
	r.t.Helper()
	reply := r.do(method, at, body, headers...)
	if reply.StatusCode != status {
		text, _ := io.ReadAll(reply.Body)
		r.t.Fatalf("%s %s: %s\n%s", method, at, reply.Status, text)
	}
	return reply
}

// A GET that may be redirected to the store.
func (r *registry) follow(at string) []byte {
	r.t.Helper()
	reply, err := http.Get("http://" + r.address + at)
	if err != nil {
		r.t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK {
		r.t.Fatalf("GET %s: %s: %v", at, reply.Status, err)
	}
	return text
}
