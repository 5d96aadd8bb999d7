package protocol

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
)

// The most text of one error in bytes: what fits into the headers that gRPC libraries take.
const mostText = 4096

// AsError finds the Error in a chain. Any other error becomes one: that of a context Unavailable, the rest Backend.
// Nil stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: Unavailable, Reason: "the call was given up: " + err.Error(), Cause: silent(err)}
	}
	var kind Kind
	if errors.As(err, &kind) {
		return &Error{Kind: kind, Reason: err.Error(), Cause: silent(err)}
	}
	return &Error{Kind: Backend, Reason: err.Error(), Cause: silent(err)}
}

// ErrorMessage is the error as a message. Long texts are cut.
func ErrorMessage(err error) *driverpb.Error {
	known := AsError(err)
	if known == nil {
		known = &Error{}
	}
	room := mostText
	cut := func(text string) string {
		text = truncated(text, room)
		room -= len(text)
		return text
	}
	message := &driverpb.Error{Kind: driverpb.ErrorKind(known.Kind), Offset: known.Offset, Size: known.Size}
	message.Driver = cut(known.Driver)
	message.Operation = cut(known.Operation)
	message.Parameter = cut(known.Parameter)
	message.Path = cut(truncated(known.Path, mostText/2))
	message.Reason = cut(known.Reason)
	for _, cause := range known.causes() {
		if cause = cut(cause); cause != "" {
			message.Causes = append(message.Causes, cause)
		}
	}
	if known.RetryAfter > 0 {
		message.RetryAfter = durationpb.New(known.RetryAfter)
	}
	return message
}

// The start of the text, at most so many bytes of it, with a mark if some is missing; what is not UTF-8 is replaced, since
// no message can hold it.
func truncated(text string, most int) string {
	const mark = "…"
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	end := most - len(mark)
	if end < 0 {
		return ""
	}
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}

// FromErrorMessage is the error of a message. A kind that is not known is Backend.
func FromErrorMessage(message *driverpb.Error) *Error {
	kind := Kind(message.GetKind())
	if _, ok := kinds[kind]; !ok {
		kind = Backend
	}
	known := &Error{
		Kind:      kind,
		Driver:    message.GetDriver(),
		Operation: message.GetOperation(),
		Path:      message.GetPath(),
		Reason:    message.GetReason(),
		Offset:    message.GetOffset(),
		Parameter: message.GetParameter(),
	}
	if message != nil {
		known.Size = message.Size
	}
	causes := message.GetCauses()
	for at := len(causes) - 1; at >= 0; at-- {
		known.Cause = &remote{causes[at], known.Cause}
	}
	if wait := message.GetRetryAfter(); wait.IsValid() {
		known.RetryAfter = max(wait.AsDuration(), time.Duration(0))
	}
	return known
}

// ToStatus is the error as the end of a call: an error whose status has the details.
func ToStatus(err error) error {
	if err == nil {
		return nil
	}
	known := AsError(err)
	end := status.New(known.Kind.Code(), truncated(known.Error(), mostText/4))
	detailed, failed := end.WithDetails(ErrorMessage(known))
	if failed != nil {
		return end.Err()
	}
	return detailed.Err()
}

// FromStatus is the error of a call that failed, by the details of its status or else by its code. The path is that of the
// call; it counts where the details name none. Nil stays nil.
func FromStatus(err error, path string) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	end := status.Convert(err)
	for _, detail := range end.Details() {
		if message, ok := detail.(*driverpb.Error); ok {
			known = FromErrorMessage(message)
			if known.Path == "" {
				known.Path = path
			}
			return known
		}
	}
	reason := fmt.Sprintf("the driver's process: %s: %s", end.Code(), end.Message())
	known = &Error{Kind: Backend, Path: path, Reason: reason, Cause: silent(err)}
	switch end.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		known.Kind = Unavailable
	case codes.Unimplemented:
		known.Kind = Unsupported
	}
	return known
}
