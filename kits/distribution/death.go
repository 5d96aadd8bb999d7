package distribution

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// How long a call that failed for no reason of the driver's waits for the news that the driver is gone. The call learns it
// first.
const newsOfDeath = 250 * time.Millisecond

// The error of a call. If the driver has died it says how, and returns once that is known: the next call starts it again.
func (s *session) autopsied(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || !s.isOpen.Load() {
		return err
	}
	end, is := status.FromError(err)
	if !is || len(end.Details()) > 0 || end.Code() != codes.Unavailable && end.Code() != codes.Canceled {
		return err
	}
	select {
	case <-s.ended:
		return status.Errorf(codes.Unavailable, "the driver died: %s", s.why())
	case <-time.After(newsOfDeath):
		return err
	}
}

func (s *session) interceptUnary(
	ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	return s.autopsied(ctx, invoke(ctx, method, request, reply, connection, options...))
}

func (s *session) interceptStream(
	ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := open(ctx, description, connection, method, options...)
	if err != nil {
		return nil, s.autopsied(ctx, err)
	}
	return autopsiedStream{stream, ctx, s}, nil
}

type autopsiedStream struct {
	grpc.ClientStream
	// The caller's: the stream's own ends with the stream.
	caller  context.Context
	session *session
}

func (a autopsiedStream) RecvMsg(message any) error {
	return a.session.autopsied(a.caller, a.ClientStream.RecvMsg(message))
}
