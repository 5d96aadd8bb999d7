package storagedriver

import "github.com/storagedriver/storagedriver/kits/go/protocol"

// What both ends share stands in package protocol; these are the names that a driver needs.
type (
	// Error is what went wrong. Any other error that a driver returns arrives as Backend, with its text.
	Error = protocol.Error
	// Kind says what sort of thing went wrong; it is an error itself, for errors.Is.
	Kind = protocol.Kind
	// EntryKind says what is at a path.
	EntryKind = protocol.EntryKind
	// FileInfo is what is said about a path.
	FileInfo = protocol.FileInfo
	// UploadInfo is an upload that was neither committed nor cancelled.
	UploadInfo = protocol.UploadInfo
	// WalkOrder is the order in which a walk yields entries.
	WalkOrder = protocol.WalkOrder
	// WalkKey is a place in a walk.
	WalkKey = protocol.WalkKey
)

// The kinds of errors. See package protocol.
const (
	Backend              = protocol.Backend
	PathNotFound         = protocol.PathNotFound
	InvalidPath          = protocol.InvalidPath
	InvalidOffset        = protocol.InvalidOffset
	Conflict             = protocol.Conflict
	Unsupported          = protocol.Unsupported
	PermissionDenied     = protocol.PermissionDenied
	Unauthenticated      = protocol.Unauthenticated
	OutOfSpace           = protocol.OutOfSpace
	Throttled            = protocol.Throttled
	Unavailable          = protocol.Unavailable
	Corrupted            = protocol.Corrupted
	InvalidParameter     = protocol.InvalidParameter
	InvalidConfiguration = protocol.InvalidConfiguration
)

// What can be at a path, and the orders of a walk.
const (
	File             = protocol.File
	Directory        = protocol.Directory
	FileAndDirectory = protocol.FileAndDirectory
	KeyOrder         = protocol.KeyOrder
	TreeOrder        = protocol.TreeOrder
)

// Errorf makes an error of a kind, on a path; `%w` puts a cause in.
func Errorf(kind Kind, path, format string, arguments ...any) *Error {
	return protocol.Errorf(kind, path, format, arguments...)
}

// NotFound says that nothing is at the path, or not what the operation needs.
func NotFound(path string) *Error {
	return protocol.NotFound(path)
}
