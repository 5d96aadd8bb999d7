package storagedriver

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

func (s *service) GetContent(request *driverpb.GetContentRequest, stream driverpb.StorageDriver_GetContentServer) error {
	return s.guarded(request.Path, func() error {
		driver, err := s.on(stream.Context(), refused, request.Path)
		if err != nil {
			return err
		}
		content, err := driver.GetContent(stream.Context(), request.Path)
		if err != nil {
			return err
		}
		head := &driverpb.ContentHead{Size: uint64(len(content))}
		for {
			piece := content[:min(len(content), protocol.FrameSize)]
			if err := stream.Send(&driverpb.ContentReply{Head: head, Data: piece}); err != nil {
				return err
			}
			head, content = nil, content[len(piece):]
			if len(content) == 0 {
				return nil
			}
		}
	})
}

func (s *service) PutContent(stream driverpb.StorageDriver_PutContentServer) error {
	var path string
	return s.guarded("", func() error {
		first, err := stream.Recv()
		if err != nil {
			return ended(err, "before anything came")
		}
		path = first.Path
		driver, err := s.on(stream.Context(), refused, path)
		if err != nil {
			return err
		}
		content := first.Data
		for request := first; !request.Last; {
			if request, err = stream.Recv(); err != nil {
				return ended(err, "before its last piece: nothing was changed")
			}
			content = append(content, request.Data...)
		}
		if err := stream.Context().Err(); err != nil {
			return err
		}
		if err := driver.PutContent(stream.Context(), path, content); err != nil {
			return placed(err, path)
		}
		return stream.SendAndClose(&driverpb.PutContentReply{})
	})
}

// The error of a call whose requests ended too early.
func ended(err error, when string) error {
	if errors.Is(err, io.EOF) {
		return protocol.Errorf(Backend, "", "the host ended the call %s", when)
	}
	return protocol.Errorf(Unavailable, "", "the host gave up the call %s: %w", when, err)
}

// The error, with the path if it names none.
func placed(err error, path string) error {
	known := *protocol.AsError(err)
	if known.Path == "" {
		known.Path = path
	}
	return &known
}

func (s *service) Read(request *driverpb.ReadRequest, stream driverpb.StorageDriver_ReadServer) error {
	return s.guarded(request.Path, func() error {
		driver, err := s.on(stream.Context(), refused, request.Path)
		if err != nil {
			return err
		}
		options := ReadOptions{Offset: request.Offset, Length: ToEnd, Version: request.GetVersion()}
		if request.Length != nil {
			options.Length = *request.Length
		}
		content, err := driver.Reader(stream.Context(), request.Path, options)
		if err != nil {
			return err
		}
		defer func() { _ = content.Body.Close() }()
		_, length, err := options.Range(request.Path, content.Size)
		if err != nil {
			return err
		}
		head := &driverpb.ContentHead{Size: content.Size}
		if content.Version != "" {
			head.Version = &content.Version
		}
		return sendBody(stream, request.Path, head, content.Body, length)
	})
}

// Sends so many bytes of a body, which has to have them.
func sendBody(stream grpc.ServerStreamingServer[driverpb.ContentReply], path string, head *driverpb.ContentHead, body io.Reader, length int64) error {
	for left := length; head != nil || left > 0; {
		// A buffer for each piece: gRPC forbids to write to one that was sent.
		piece := make([]byte, min(left, protocol.FrameSize))
		count, err := io.ReadFull(body, piece)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			had := length - left + int64(count)
			return protocol.Errorf(Corrupted, path, "the content ends after %d of the %d bytes that were asked for", had, length)
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&driverpb.ContentReply{Head: head, Data: piece}); err != nil {
			return err
		}
		head, left = nil, left-int64(count)
	}
	return nil
}
