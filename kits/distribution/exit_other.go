//go:build !linux

package distribution

// Returns when the child has ended, and leaves it to be waited for; false: that cannot be had.
func waitUntilExit(int) bool {
	return false
}
