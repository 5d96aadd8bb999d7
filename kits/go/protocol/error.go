package protocol

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
)

// Kind says what sort of thing went wrong. It is an error itself, for errors.Is:
//
//	if errors.Is(err, protocol.PathNotFound) { … }
type Kind int32

// The kinds of errors, which are all that there are.
const (
	// Backend is any failure of the backend that is none of the others.
	Backend = Kind(driverpb.ErrorKind_KIND_BACKEND)
	// PathNotFound: nothing is at the path, or not what the operation needs.
	PathNotFound = Kind(driverpb.ErrorKind_KIND_PATH_NOT_FOUND)
	// InvalidPath: the path breaks the grammar or the limit of the driver.
	InvalidPath = Kind(driverpb.ErrorKind_KIND_INVALID_PATH)
	// InvalidOffset: a read was to start past the end of the content.
	InvalidOffset = Kind(driverpb.ErrorKind_KIND_INVALID_OFFSET)
	// Conflict: the state of the store forbids the operation.
	Conflict = Kind(driverpb.ErrorKind_KIND_CONFLICT)
	// Unsupported: the driver, or this backend, cannot do it.
	Unsupported = Kind(driverpb.ErrorKind_KIND_UNSUPPORTED)
	// PermissionDenied: the backend knows who asks, and refuses.
	PermissionDenied = Kind(driverpb.ErrorKind_KIND_PERMISSION_DENIED)
	// Unauthenticated: the backend does not accept the credentials.
	Unauthenticated = Kind(driverpb.ErrorKind_KIND_UNAUTHENTICATED)
	// OutOfSpace: the backend is full, or a quota is used up.
	OutOfSpace = Kind(driverpb.ErrorKind_KIND_OUT_OF_SPACE)
	// Throttled: the backend asks for fewer requests. May be retried.
	Throttled = Kind(driverpb.ErrorKind_KIND_THROTTLED)
	// Unavailable: the backend could not be reached or did not answer. May be retried.
	Unavailable = Kind(driverpb.ErrorKind_KIND_UNAVAILABLE)
	// Corrupted: what the backend holds or answered contradicts itself.
	Corrupted = Kind(driverpb.ErrorKind_KIND_CORRUPTED)
	// InvalidParameter: a parameter is missing, unknown, of the wrong kind or out of range.
	InvalidParameter = Kind(driverpb.ErrorKind_KIND_INVALID_PARAMETER)
	// InvalidConfiguration: the configuration does not say one usable thing.
	InvalidConfiguration = Kind(driverpb.ErrorKind_KIND_INVALID_CONFIGURATION)
)

type kindTexts struct {
	code codes.Code
	text string
}

// The code and the words of each kind, by its number.
var kinds = map[Kind]kindTexts{
	Backend:              {codes.Internal, "backend"},
	PathNotFound:         {codes.NotFound, "path not found"},
	InvalidPath:          {codes.InvalidArgument, "invalid path"},
	InvalidOffset:        {codes.OutOfRange, "invalid offset"},
	Conflict:             {codes.Aborted, "conflict"},
	Unsupported:          {codes.Unimplemented, "unsupported"},
	PermissionDenied:     {codes.PermissionDenied, "permission denied"},
	Unauthenticated:      {codes.Unauthenticated, "not authenticated"},
	OutOfSpace:           {codes.ResourceExhausted, "out of space"},
	Throttled:            {codes.ResourceExhausted, "throttled"},
	Unavailable:          {codes.Unavailable, "unavailable"},
	Corrupted:            {codes.DataLoss, "corrupted"},
	InvalidParameter:     {codes.InvalidArgument, "invalid parameter"},
	InvalidConfiguration: {codes.InvalidArgument, "invalid configuration"},
}

// Error gives the kind in words: `path not found`.
func (k Kind) Error() string {
	if texts, ok := kinds[k]; ok {
		return texts.text
	}
	return Backend.Error()
}

// Code is the gRPC code of the kind, for tools that do not know the schema.
func (k Kind) Code() codes.Code {
	if texts, ok := kinds[k]; ok {
		return texts.code
	}
	return codes.Internal
}

// Error is what went wrong, on which driver, doing what, on which path. It must hold no secret.
//
// errors.As finds it in any chain; errors.Is compares its kind.
type Error struct {
	Kind Kind
	// Driver is the name of the driver that failed; empty: the one that was called.
	Driver string
	// Operation that failed, by its name in the contract, as `put_content`; empty: the one that was called.
	Operation string
	// Path that it failed on, as the caller wrote it.
	Path string
	// Reason says what is wrong and what to do, without driver, operation and path.
	Reason string
	// Cause is the error below, if there is one.
	Cause error
	// Offset that was asked for, with InvalidOffset, in bytes.
	Offset uint64
	// Size of the content in bytes, with InvalidOffset, where it is known.
	Size *uint64
	// RetryAfter is how long the backend asks to wait, with Throttled; zero: it does not say.
	RetryAfter time.Duration
	// Parameter that is wrong, with InvalidParameter.
	Parameter string
}

// Errorf makes an error of a kind, on a path. A cause is put in by `%w`, and stands in the reason then.
func Errorf(kind Kind, path, format string, arguments ...any) *Error {
	reason := fmt.Errorf(format, arguments...)
	return &Error{Kind: kind, Path: path, Reason: reason.Error(), Cause: silent(errors.Unwrap(reason))}
}

// NotFound says that nothing is at the path, or not what the operation needs.
func NotFound(path string) *Error {
	return &Error{Kind: PathNotFound, Path: path}
}

// OffsetPastEnd says that a read was to start past the end of content of this size.
func OffsetPastEnd(path string, offset, size uint64) *Error {
	return &Error{Kind: InvalidOffset, Path: path, Offset: offset, Size: &size}
}

// BadParameter says that a parameter is wrong. The reason must not hold its value, if that may be a secret.
func BadParameter(parameter, reason string) *Error {
	return &Error{Kind: InvalidParameter, Parameter: parameter, Reason: reason}
}

// Error gives the message: driver, operation, path, kind and reason, and the cause unless the reason has it already.
func (e *Error) Error() string {
	var parts []string
	context := strings.Join(strings.Fields(e.Operation+" "+e.Path), " ")
	for _, part := range []string{e.Driver, context} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	switch {
	case e.Kind == InvalidParameter:
		parts = append(parts, fmt.Sprintf("parameter %q", e.Parameter))
	case e.Kind == InvalidOffset && e.Size != nil:
		parts = append(parts, fmt.Sprintf("offset %d is past the end of the content of %d bytes", e.Offset, *e.Size))
	case e.Kind == InvalidOffset:
		parts = append(parts, fmt.Sprintf("offset %d is past the end of the content", e.Offset))
	case e.Kind != Backend || e.Reason == "":
		parts = append(parts, e.Kind.Error())
	}
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}
	for _, cause := range e.causes() {
		parts = append(parts, cause)
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error {
	return e.Cause
}

// Is tells whether the target is the kind of this error.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// IsRetryable tells whether the same call may succeed later without anything being changed.
func (e *Error) IsRetryable() bool {
	return e.Kind == Throttled || e.Kind == Unavailable
}

// The texts of the causes, outermost first. An error of Go repeats what is below it, so that one text says all; what came
// over the socket does not, and what the reason says already is no cause.
func (e *Error) causes() []string {
	var texts []string
	for below := e.Cause; below != nil; {
		cause, ok := below.(*remote)
		if !ok {
			if _, said := below.(*told); !said {
				texts = append(texts, below.Error())
			}
			break
		}
		texts = append(texts, cause.text)
		below = cause.below
	}
	return texts
}

// A cause whose text stands in the reason already.
type told struct {
	below error
}

func silent(cause error) error {
	if cause == nil {
		return nil
	}
	return &told{cause}
}

func (t *told) Error() string { return t.below.Error() }
func (t *told) Unwrap() error { return t.below }

// A cause that came over the socket as text. It does not repeat what is below it.
type remote struct {
	text  string
	below error
}

func (r *remote) Error() string { return r.text }
func (r *remote) Unwrap() error { return r.below }
