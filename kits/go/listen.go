package storagedriver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Listens on a socket that only this user can reach. A socket that nobody listens on any more is replaced.
func listen(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		if err := removeDead(path); err != nil {
			return nil, err
		}
	}
	mask := syscall.Umask(0o177)
	defer syscall.Umask(mask)
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on the socket: %w", err)
	}
	return listener, nil
}

func removeDead(path string) error {
	connection, err := net.Dial("unix", path)
	if err == nil {
		_ = connection.Close()
		return fmt.Errorf("another process listens on the socket %s already", path)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(path)
	}
	return nil
}
