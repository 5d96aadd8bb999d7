package storagedriver

import (
	"context"
	"errors"
	"io"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// An upload that the host has opened.
type upload struct {
	stream driverpb.StorageDriver_WriteServer
	writer FileWriter
	path   string
	// The chunk that is due: the one after the last that was accepted, or the one that was refused.
	due uint64
	// Whether the chunk that is due was refused: those that follow it are passed over then, until it comes again.
	isRefused bool
	// What came of the chunk that is due.
	pieces []byte
}

func (s *service) Write(stream driverpb.StorageDriver_WriteServer) error {
	return s.guarded("", func() error {
		first, err := stream.Recv()
		if err != nil {
			return ended(err, "before the upload was opened")
		}
		open := first.GetOpen()
		if open == nil {
			return protocol.Errorf(Backend, "", "the host broke the protocol: an upload begins with its opening")
		}
		driver, err := s.on(stream.Context(), refused, open.Path)
		if err != nil {
			return err
		}
		mode := WriteMode(open.Mode)
		if mode != Create && mode != Append {
			return protocol.Errorf(Unsupported, open.Path, "the unknown mode %d of opening an upload", open.Mode)
		}
		defer s.uploads.begin(stream.Context())()
		writer, err := driver.Writer(stream.Context(), open.Path, mode)
		if err != nil {
			return placed(err, open.Path)
		}
		defer writer.Drop()
		upload := &upload{stream: stream, writer: writer, path: open.Path, due: 1}
		if err := upload.run(); err != nil {
			return placed(err, open.Path)
		}
		return nil
	})
}

func (u *upload) run() error {
	opened := &driverpb.WriteOpened{Size: u.writer.Size()}
	if err := u.stream.Send(&driverpb.WriteReply{Step: &driverpb.WriteReply_Opened{Opened: opened}}); err != nil {
		return err
	}
	for {
		request, err := u.stream.Recv()
		if errors.Is(err, io.EOF) {
			// A drop: nothing is published.
			return nil
		}
		if err != nil {
			return err
		}
		switch step := request.Step.(type) {
		case *driverpb.WriteRequest_Chunk:
			err = u.take(step.Chunk)
		case *driverpb.WriteRequest_Ending:
			return u.end(step.Ending)
		default:
			err = protocol.Errorf(Backend, "", "the host broke the protocol: a step of an upload that is neither chunk nor ending")
		}
		if err != nil {
			return err
		}
	}
}

// Takes a piece, and with the last one the chunk.
func (u *upload) take(piece *driverpb.WriteChunk) error {
	if piece.Sequence != u.due {
		if u.isRefused && piece.Sequence > u.due {
			return nil
		}
		return protocol.Errorf(Backend, "", "the host broke the protocol: chunk %d came where %d was due", piece.Sequence, u.due)
	}
	u.isRefused = false
	if u.pieces == nil {
		u.pieces = piece.Data
	} else {
		u.pieces = append(u.pieces, piece.Data...)
	}
	if !piece.Last {
		return nil
	}
	chunk := u.pieces
	u.pieces = nil
	ctx := u.stream.Context()
	if err := ctx.Err(); err != nil {
		return err
	}
	err := caught(func() error { return u.writer.Write(ctx, chunk) })
	if err != nil {
		u.isRefused = true
		refused := &driverpb.WriteRefused{Sequence: u.due, Error: protocol.ErrorMessage(placed(err, u.path))}
		return u.stream.Send(&driverpb.WriteReply{Step: &driverpb.WriteReply_Refused{Refused: refused}})
	}
	accepted := &driverpb.WriteAccepted{Sequence: u.due, Size: u.writer.Size()}
	u.due++
	return u.stream.Send(&driverpb.WriteReply{Step: &driverpb.WriteReply_Accepted{Accepted: accepted}})
}

// Ends the upload with what was accepted; a chunk of which only some pieces came is none.
func (u *upload) end(ending driverpb.WriteEnding) error {
	ctx := u.stream.Context()
	if err := ctx.Err(); err != nil {
		return err
	}
	size := u.writer.Size()
	var operation string
	var call func(context.Context) error
	switch ending {
	case driverpb.WriteEnding_WRITE_ENDING_CLOSE:
		operation, call = "close", u.writer.Close
	case driverpb.WriteEnding_WRITE_ENDING_COMMIT:
		operation, call = "commit", u.writer.Commit
	case driverpb.WriteEnding_WRITE_ENDING_CANCEL:
		operation, call, size = "cancel", u.writer.Cancel, 0
	default:
		return protocol.Errorf(Unsupported, "", "the unknown ending %d of an upload", ending)
	}
	if err := caught(func() error { return call(ctx) }); err != nil {
		known := *protocol.AsError(err)
		if known.Operation == "" {
			known.Operation = operation
		}
		return &known
	}
	ended := &driverpb.WriteEnded{Size: size}
	return u.stream.Send(&driverpb.WriteReply{Step: &driverpb.WriteReply_Ended{Ended: ended}})
}
