package distribution

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	"github.com/sirupsen/logrus"
)

// Makes a driver of this program, in a mode of fake_test.go.
func start(t *testing.T, mode string, parameters map[string]any) (*Driver, error) {
	t.Helper()
	t.Setenv(fakeVariable, mode)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	section := map[string]any{"path": program, "driver": "fake"}
	for name, value := range parameters {
		section[name] = value
	}
	made, err := New(context.Background(), section)
	if err == nil {
		t.Cleanup(func() { _ = made.Close() })
	}
	return made, err
}

func started(t *testing.T, mode string, parameters map[string]any) *Driver {
	t.Helper()
	made, err := start(t, mode, parameters)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func content(t *testing.T, made *Driver, path string) string {
	t.Helper()
	text, err := made.GetContent(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func pidOf(t *testing.T, made *Driver) int {
	t.Helper()
	pid, err := strconv.Atoi(content(t, made, "/pid"))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// Waits until there is no such process.
func awaitGone(t *testing.T, pid int, within time.Duration) {
	t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d is there after %s", pid, within)
		}
	}
}

// Takes the log for the time of a test.
func captureLog(t *testing.T) *syncBuffer {
	t.Helper()
	var log syncBuffer
	before := logrus.StandardLogger().Out
	logrus.SetOutput(&log)
	t.Cleanup(func() { logrus.SetOutput(before) })
	return &log
}

func TestABadExecutableIsAClearErrorInBoundedTime(t *testing.T) {
	cases := map[string]struct {
		says  []string
		limit time.Duration
	}{
		"exits":   {[]string{"did not come up", "exit status 3", "I cannot find my configuration"}, 5 * time.Second},
		"never":   {[]string{"nothing took a connection in time"}, 5 * time.Second},
		"silent":  {[]string{"did not answer in time", "starttimeout"}, 5 * time.Second},
		"garbage": {[]string{"cannot be talked to"}, 5 * time.Second},
		"newer":   {[]string{"speaks the versions 2 to 3", "fake 1", "this registry 1 to 1"}, 5 * time.Second},
		"another": {[]string{"does not speak the protocol storagedriver.v1"}, 5 * time.Second},
		"picky":   {[]string{`parameter "bucket"`, "is missing"}, 5 * time.Second},
	}
	for mode, expected := range cases {
		t.Run(mode, func(t *testing.T) {
			place := t.TempDir()
			t.Setenv("XDG_RUNTIME_DIR", place)
			begun := time.Now()
			_, err := start(t, mode, map[string]any{"starttimeout": "1500ms", "secretkey": fakeSecret})
			if err == nil {
				t.Fatal("it was opened")
			}
			if took := time.Since(begun); took > expected.limit {
				t.Errorf("the error took %s", took)
			}
			for _, part := range expected.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
			if strings.Contains(err.Error(), fakeSecret) {
				t.Errorf("the secret is in: %v", err)
			}
			if left, _ := os.ReadDir(place); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
		})
	}
}

func TestADriverOfAnotherNameIsRefused(t *testing.T) {
	_, err := start(t, "good", map[string]any{"driver": "swift"})
	if err == nil || !strings.Contains(err.Error(), `called "fake"`) || !strings.Contains(err.Error(), `says "swift"`) {
		t.Error(err)
	}
}

func TestTheFactoryMakesIt(t *testing.T) {
	if _, err := factory.Create(context.Background(), Name, nil); err == nil || !strings.Contains(err.Error(), `parameter "driver": is missing`) {
		t.Error(err)
	}
	if _, err := factory.Create(context.Background(), Name, map[string]any{"driver": "of-nobody"}); err == nil ||
		!strings.Contains(err.Error(), "there is no registry-storage-of-nobody on the PATH") {
		t.Error(err)
	}
}

func TestASlowStartIsAwaitedAndNothingIsLeftOfIt(t *testing.T) {
	place := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", place)
	made := started(t, "slow", nil)
	// The directory of the socket goes as soon as there is a connection: also a registry that is killed leaves none.
	if left, _ := os.ReadDir(place); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	pid := pidOf(t, made)
	if group, err := syscall.Getpgid(pid); err != nil || group != pid {
		t.Errorf("the process %d is in the group %d: %v", pid, group, err)
	}
	if err := made.Close(); err != nil {
		t.Error(err)
	}
	awaitGone(t, pid, 0)
	if _, err := made.Stat(context.Background(), "/"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
}

func TestNothingSecretIsInArgumentsEnvironmentOrLog(t *testing.T) {
	log := captureLog(t)
	t.Setenv("REGISTRY_STORAGE_EXTERNAL_SECRETKEY", fakeSecret)
	made := started(t, "good", map[string]any{"secretkey": fakeSecret, "nested": map[any]any{"password": fakeSecret}})
	environment := content(t, made, "/environment")
	if strings.Contains(environment, fakeSecret) || content(t, made, "/arguments") != "" {
		t.Error("the secret is in the environment, or there are arguments")
	}
	if !strings.Contains(environment, "PATH=") || !strings.Contains(environment, "STORAGEDRIVER_LIFELINE=stdin") {
		t.Error("the environment lacks what a driver needs")
	}
	if _, err := start(t, "exits", map[string]any{"secretkey": fakeSecret}); err == nil {
		t.Error("it was opened")
	}
	text := log.String()
	if !strings.Contains(text, "I cannot find my configuration; the secret is <redacted>") || !strings.Contains(text, "a line of output") {
		t.Errorf("the log lacks what the driver wrote: %s", text)
	}
	if strings.Contains(text, fakeSecret) {
		t.Error("the secret is in the log")
	}
}

func TestADriverThatIsKilledIsStartedAgain(t *testing.T) {
	log := captureLog(t)
	made := started(t, "good", nil)
	for range 3 {
		pid := pidOf(t, made)
		failed := make(chan error)
		go func() {
			_, err := made.GetContent(context.Background(), "/slow")
			failed <- err
		}()
		time.Sleep(20 * time.Millisecond)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; err == nil || !strings.Contains(err.Error(), "unavailable") {
			t.Errorf("the call in flight: %v", err)
		}
		if again := pidOf(t, made); again == pid {
			t.Error("it is the same process")
		}
		awaitGone(t, pid, 0)
	}
	if !strings.Contains(log.String(), "signal: killed") {
		t.Error(log.String())
	}
}

func TestADriverThatDiesAtEveryCallIsStartedLessAndLessOften(t *testing.T) {
	made := started(t, "mortal", nil)
	begun := time.Now()
	for tries := 1; ; tries++ {
		_, err := made.Stat(context.Background(), "/")
		if err == nil {
			t.Fatal("it answered")
		}
		if strings.Contains(err.Error(), "times in quick succession") {
			if !strings.Contains(err.Error(), "exit status 7") {
				t.Error(err)
			}
			if tries > 8 {
				t.Errorf("it was started %d times", tries)
			}
			break
		}
		if time.Since(begun) > 20*time.Second {
			t.Fatal("it is still started again")
		}
	}
	// Who waits no longer is told at once.
	begun = time.Now()
	if _, err := made.Stat(context.Background(), "/"); err == nil || time.Since(begun) > time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
}

func TestADriverThatDoesNotEndIsKilledWithWhatItStarted(t *testing.T) {
	made := started(t, "stubborn", nil)
	pid := pidOf(t, made)
	begun := time.Now()
	_ = made.Close()
	awaitGone(t, pid, 0)
	if took := time.Since(begun); took < grace || took > grace+2*time.Second {
		t.Errorf("it was killed after %s", took)
	}

	log := captureLog(t)
	made = started(t, "orphan", nil)
	pid = pidOf(t, made)
	_ = made.Close()
	awaitGone(t, pid, 0)
	found := regexp.MustCompile(`orphan (\d+)`).FindStringSubmatch(log.String())
	if found == nil {
		t.Fatal(log.String())
	}
	orphan, _ := strconv.Atoi(found[1])
	// A zombie of nobody's is gone as soon as init has waited for it.
	if text, err := os.ReadFile(filepath.Join("/proc", found[1], "stat")); err == nil && !bytes.Contains(text, []byte(") Z ")) {
		awaitGone(t, orphan, 5*time.Second)
	}
}

func TestACallerThatGivesUpIsNotHeld(t *testing.T) {
	made := started(t, "good", nil)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := made.GetContent(ctx, "/slow"); err == nil {
		t.Error("it answered")
	}
	pidOf(t, made)
}
