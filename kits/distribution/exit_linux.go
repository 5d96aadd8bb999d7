package distribution

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Returns when the child has ended, and leaves it to be waited for; false: that cannot be had.
func waitUntilExit(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}
