package protocol

import (
	"math"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
)

// EntryKind says what is at a path.
type EntryKind int32

// What can be at a path.
const (
	File      = EntryKind(driverpb.EntryKind_ENTRY_KIND_FILE)
	Directory = EntryKind(driverpb.EntryKind_ENTRY_KIND_DIRECTORY)
	// FileAndDirectory is what a flat store may have: a file, and other files below it.
	FileAndDirectory = EntryKind(driverpb.EntryKind_ENTRY_KIND_FILE_AND_DIRECTORY)
)

// FileInfo is what is said about a path.
type FileInfo struct {
	Path string
	Kind EntryKind
	// Size of the content in bytes. It counts only together with Modified: where that is zero, neither is known.
	Size uint64
	// Modified is when the content was last replaced; zero for directories, and where it is not known. Only a list
	// may leave that open.
	Modified time.Time
	// Version of the content: equal versions of a path mean equal bytes. Empty: the driver tells none.
	Version string
}

// IsDir tells whether a directory is at the path, and nothing else.
func (i FileInfo) IsDir() bool {
	return i.Kind == Directory
}

// Key is the place of the entry in a walk.
func (i FileInfo) Key() WalkKey {
	return WalkKey{i.Path, i.IsDir(), false}
}

// UploadInfo is an upload that was neither committed nor cancelled.
type UploadInfo struct {
	Path string
	// Size is how many bytes are durable.
	Size uint64
	// Modified is when something was last done with it.
	Modified time.Time
	// ID is the driver's name for the upload in this state: it is another one when the upload has moved on.
	ID string
}

// FileMessage is an entry as a message.
func FileMessage(info FileInfo) *driverpb.FileInfo {
	message := &driverpb.FileInfo{Path: info.Path, Kind: driverpb.EntryKind(info.Kind)}
	if !info.IsDir() && !info.Modified.IsZero() {
		message.Size = &info.Size
		message.Modified = timestamppb.New(info.Modified)
	}
	if info.Version != "" {
		message.Version = &info.Version
	}
	return message
}

// FromFileMessage is the entry of a message. The error says how the driver broke the protocol.
func FromFileMessage(message *driverpb.FileInfo) (FileInfo, error) {
	info := FileInfo{Path: message.GetPath(), Kind: EntryKind(message.GetKind()), Version: message.GetVersion()}
	if err := CheckPath(info.Path); err != nil {
		return info, Errorf(Backend, info.Path, "the driver sent a path that is none: %s", AsError(err).Reason)
	}
	if info.Kind != File && info.Kind != Directory && info.Kind != FileAndDirectory {
		return info, Errorf(Backend, info.Path, "the driver sent an entry of the unknown kind %d", info.Kind)
	}
	if message.Modified != nil {
		modified, err := FromTimeMessage(message.Modified, info.Path)
		if err != nil {
			return info, err
		}
		info.Modified, info.Size = modified, message.GetSize()
	}
	return info, nil
}

// FromTimeMessage is the time of a message. The error says how the driver broke the protocol.
func FromTimeMessage(message *timestamppb.Timestamp, path string) (time.Time, error) {
	if err := message.CheckValid(); err != nil {
		return time.Time{}, Errorf(Backend, path, "the driver sent no time, or one that does not exist: %w", err)
	}
	return message.AsTime(), nil
}

// UploadMessage is an upload as a message.
func UploadMessage(upload UploadInfo) *driverpb.UploadInfo {
	return &driverpb.UploadInfo{
		Path:     upload.Path,
		Size:     upload.Size,
		Modified: timestamppb.New(upload.Modified),
		Id:       upload.ID,
	}
}

// FromUploadMessage is the upload of a message. The error says how the other end broke the protocol.
func FromUploadMessage(message *driverpb.UploadInfo) (UploadInfo, error) {
	upload := UploadInfo{Path: message.GetPath(), Size: message.GetSize(), ID: message.GetId()}
	if err := CheckPath(upload.Path); err != nil {
		return upload, err
	}
	modified, err := FromTimeMessage(message.GetModified(), upload.Path)
	upload.Modified = modified
	return upload, err
}

// Bytes is a number of bytes as Go's library counts them; what is too large for that becomes the largest.
func Bytes(size uint64) int64 {
	return int64(min(size, math.MaxInt64))
}
