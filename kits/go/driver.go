package storagedriver

import (
	"bytes"
	"context"
	"io"
	"math"
	"time"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// Driver is what the author of a driver implements: a filesystem-like key/value store.
//
// A context ends when the host gives up the call. Whatever was done until then must be a state that the contract allows, and
// what is done after must not show: look at the context before the step that publishes. All methods may be called at once.
type Driver interface {
	// GetContent gives all of a file's content. PathNotFound if the path is absent or a directory.
	GetContent(ctx context.Context, path string) ([]byte, error)

	// PutContent makes content the content of path, atomically and durably; directories above are implied. Uploads at the path
	// stay as they are. Conflict if path is a directory or a file stands above it, on drivers with real directories.
	PutContent(ctx context.Context, path string, content []byte) error

	// Reader opens a file's content. PathNotFound if the path is absent or a directory, InvalidOffset if the offset is past
	// the end (ReadOptions.Range says so), Conflict if options.Version is not what the path holds.
	Reader(ctx context.Context, path string, options ReadOptions) (*Content, error)

	// Writer opens an upload. Nothing that it writes is visible before its commit. The context is that of the whole upload.
	//
	// PathNotFound from Append if there is neither an upload nor content at the path; Conflict as for PutContent, which may also
	// come as late as the commit.
	Writer(ctx context.Context, path string, mode WriteMode) (FileWriter, error)

	// Stat tells what is at path. `/` always exists, and asking for it asks the backend: it is the health check.
	// PathNotFound if nothing is there; an upload is nothing.
	Stat(ctx context.Context, path string) (FileInfo, error)

	// List gives the direct children, each once, in any order: kind always, size and time where they come free. No names of
	// staging files. PathNotFound if the path is absent or a file; the empty root is an empty list.
	List(ctx context.Context, path string) ([]FileInfo, error)

	// Rename moves a file, replacing what is at to. PathNotFound, naming from, if that is absent or a directory; then to is
	// untouched. Uploads at either end stay as they are.
	Rename(ctx context.Context, from, to string) error

	// Delete removes the path and all below it, uploads included, and no sibling. PathNotFound if there is neither content
	// nor an upload at or below the path.
	Delete(ctx context.Context, path string) error

	// Uploads gives the uploads at and below a path that were neither committed nor cancelled, in any order. None is an empty
	// list, also where the path is absent.
	Uploads(ctx context.Context, below string) ([]UploadInfo, error)

	// AbortUpload removes every trace of an upload. Conflict if it has moved on since it was listed; one that is gone is no
	// error.
	AbortUpload(ctx context.Context, upload UploadInfo) error

	// Guarantees says which promises the backend cannot keep, and how long paths may be. Always the same.
	Guarantees() Guarantees
}

// FileWriter is an upload in progress.
type FileWriter interface {
	// Write takes the whole chunk or, when it fails, none of it. After a failure the next may be tried. The chunk may be
	// kept.
	Write(ctx context.Context, chunk []byte) error

	// Size is how many bytes were accepted since the upload began, those before a resume and those still buffered included.
	Size() uint64

	// Close makes what was accepted durable, for a later Append that finds exactly Size bytes, zero included. Conflict if another
	// writer that resumed the same upload ended it.
	Close(ctx context.Context) error

	// Commit publishes what was accepted as the content of the path, atomically and durably. A failed commit first tries to leave
	// what was accepted resumable. Conflict as for Close, and if the content that an append started from was replaced.
	Commit(ctx context.Context) error

	// Cancel removes every trace of the upload.
	Cancel(ctx context.Context) error

	// Drop lets go of the upload, and is always the last call, after an ending too. Without an ending nothing is
	// published, and what the last Close made durable stays.
	Drop()
}

// WriteMode says whether a writer starts afresh or goes on.
type WriteMode int

const (
	// Create starts afresh. Uploads at the path that were closed before are discarded.
	Create WriteMode = iota + 1
	// Append resumes the newest closed upload at the path; else it continues the committed content, which stays readable
	// until the commit replaces it; else it is PathNotFound.
	Append
)

// ToEnd as the length of a read: to the end of the content.
const ToEnd = math.MaxUint64

// ReadOptions say what is to be read.
type ReadOptions struct {
	// Offset of the first byte.
	Offset uint64
	// Length is the most bytes to read, or ToEnd.
	Length uint64
	// Version that is to be read and no other; empty: any.
	Version string
}

// Range gives the first byte and the number of bytes to read of content of this size; InvalidOffset if it starts past the end.
func (o ReadOptions) Range(path string, size uint64) (start, length int64, err error) {
	if o.Offset > size {
		return 0, 0, protocol.OffsetPastEnd(path, o.Offset, size)
	}
	return protocol.Bytes(o.Offset), protocol.Bytes(min(o.Length, size-o.Offset)), nil
}

// Content is a file's content, opened for reading.
type Content struct {
	// Size of the whole content in bytes, not only of what was asked for.
	Size uint64
	// Version of the content; empty: the driver tells none.
	Version string
	// Body gives exactly what was asked for. The kit closes it.
	Body io.ReadCloser
}

// ContentOf gives what was asked for of content that is in memory. InvalidOffset if it starts past the end.
func ContentOf(path string, content []byte, options ReadOptions) (*Content, error) {
	size := uint64(len(content))
	start, length, err := options.Range(path, size)
	if err != nil {
		return nil, err
	}
	body := bytes.NewReader(content[start : start+length])
	return &Content{Size: size, Body: io.NopCloser(body)}, nil
}

// Guarantee is the name of a promise of the contract that not every backend can keep.
type Guarantee string

// The promises that a backend may lack. The contract says what each means.
const (
	Durable            Guarantee = "durable"
	Shared             Guarantee = "shared"
	AtomicReplace      Guarantee = "atomic-replace"
	AtomicRename       Guarantee = "atomic-rename"
	IndependentUploads Guarantee = "independent-uploads"
	FencedUploads      Guarantee = "fenced-uploads"
	ConsistentReads    Guarantee = "consistent-reads"
)

// Guarantees is what a driver keeps of the contract's harder promises. Its zero value is the whole contract.
type Guarantees struct {
	// Lacking are the promises that the backend cannot keep.
	Lacking []Guarantee
	// PathLimit and ComponentLimit say how many bytes a path and one component of it may have, in all operations; 0: 4,096
	// and 255.
	PathLimit, ComponentLimit int
}

// Walker is what a driver implements that can walk by itself. Others are walked by List, and by Stat for files whose size and time
// List left open.
type Walker interface {
	// Walk yields every descendant of path: files with size and time, each directory just before its first descendant, a
	// name that is both file and directory as two entries, first the file. PathNotFound if the path is absent or a file, here or
	// at the first step. A nil Walk: walk by List.
	Walk(ctx context.Context, path string, options WalkOptions) (Walk, error)
}

// WalkOptions say in which order to walk, and from where.
type WalkOptions struct {
	Order WalkOrder
	// StartAfter: yield exactly the entries whose key is greater than this in that order; nil: all.
	StartAfter *WalkKey
}

// Admits tells whether the entry with this key is to be yielded.
func (o WalkOptions) Admits(key WalkKey) bool {
	return o.StartAfter == nil || key.Compare(*o.StartAfter, o.Order) > 0
}

// Walk is a walk in progress. No two calls come at once.
type Walk interface {
	// Next gives the next entry; io.EOF after the last.
	Next(ctx context.Context) (FileInfo, error)
	// Skip says that nothing below this directory is wanted. Next has given the directory, and may have gone further. What it still
	// gives from there is dropped.
	Skip(directory string)
	// Close is the last call.
	Close()
}

// Redirector is what a driver implements that can give URLs at which a client does a request itself.
type Redirector interface {
	// RedirectURL gives the URL, or an empty text if the host has to serve the request.
	RedirectURL(ctx context.Context, path string, request RedirectRequest) (string, error)
}

// RedirectRequest is the request that a client would do at the URL.
type RedirectRequest struct {
	// Method of HTTP, in capitals.
	Method string
	// Headers of the client's request: names in lower case, and in the order they came in.
	Headers []Header
	// ClientAddress is the client's IP address; empty if it is not known.
	ClientAddress string
	// Expiry is how long the URL is to be valid.
	Expiry time.Duration
}

// Header is one header of a request.
type Header struct {
	Name, Value string
}

// KeyPrefixer is what a driver implements whose backend keeps a path under a name that its own clients can use.
type KeyPrefixer interface {
	// KeyPrefix is what that name begins with; the path follows without its leading slash.
	KeyPrefix() string
}

// Examiner is what a driver implements that can try what its backend can do.
type Examiner interface {
	// Examine works below scratch, where nothing is, and leaves nothing there.
	Examine(ctx context.Context, scratch string) ([]Finding, error)
}

// Outcome of an attempt.
type Outcome int32

// The outcomes of an attempt. OutcomeUnknown: it failed for another reason.
const (
	OutcomeUnknown Outcome = iota
	OutcomeYes
	OutcomeNo
)

// Finding is what an attempt has shown of a backend.
type Finding struct {
	// What was tried.
	What    string
	Outcome Outcome
	// IsSurprise: the driver takes it for granted, and it is not so.
	IsSurprise bool
	Detail     string
}
