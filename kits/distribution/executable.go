package distribution

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What the name of a driver's executable starts with.
const executablePrefix = "registry-storage-"

// The executable of a driver: the given one, or the first of its name on the search path.
func findExecutable(driver, path string) (string, error) {
	if path != "" {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		if err := checkExecutable(absolute); err != nil {
			return "", fmt.Errorf("no driver can be started: %w", err)
		}
		return absolute, nil
	}
	name := executablePrefix + driver
	var unusable error
	for _, directory := range filepath.SplitList(os.Getenv("PATH")) {
		// A relative one would depend on where the registry was started.
		if !filepath.IsAbs(directory) {
			continue
		}
		candidate := filepath.Join(directory, name)
		err := checkExecutable(candidate)
		if err == nil {
			return candidate, nil
		}
		if unusable == nil && !errors.Is(err, fs.ErrNotExist) {
			unusable = err
		}
	}
	if unusable != nil {
		return "", fmt.Errorf("the driver %q cannot be started: %w", driver, unusable)
	}
	return "", fmt.Errorf("there is no %s on the PATH: install the driver, or say where it is by the parameter `path`", name)
}

func checkExecutable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	if info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("%s is not executable; give it the permission (`chmod +x`)", path)
	}
	return nil
}

// The longest path of a Unix socket, its final NUL excluded: that of macOS, which is shorter than that of Linux.
const longestSocket = 103

// Makes a directory that only this user can enter, for a socket.
func makeSocketDirectory() (string, error) {
	var tried []error
	for _, place := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} {
		if !filepath.IsAbs(place) {
			continue
		}
		directory, err := os.MkdirTemp(place, "storagedriver-")
		if err == nil && len(socketIn(directory)) > longestSocket {
			err = errors.Join(fmt.Errorf("%s: the path is too long for a socket", place), os.Remove(directory))
		}
		if err == nil {
			return directory, nil
		}
		tried = append(tried, err)
	}
	return "", fmt.Errorf("no place for the socket of a driver (%w); set TMPDIR to a directory with a short path that this user can write to",
		errors.Join(tried...))
}

func socketIn(directory string) string {
	return filepath.Join(directory, "socket")
}
