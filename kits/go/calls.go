package storagedriver

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

func (s *service) Health(ctx context.Context, _ *driverpb.HealthRequest) (*driverpb.HealthReply, error) {
	return &driverpb.HealthReply{}, s.guarded("/", func() error {
		driver, err := s.on(ctx, allowed)
		if err == nil {
			_, err = driver.Stat(ctx, "/")
		}
		return err
	})
}

func (s *service) Stat(ctx context.Context, request *driverpb.StatRequest) (*driverpb.StatReply, error) {
	reply := &driverpb.StatReply{}
	return reply, s.guarded(request.Path, func() error {
		driver, err := s.on(ctx, allowed, request.Path)
		if err != nil {
			return err
		}
		info, err := driver.Stat(ctx, request.Path)
		reply.Info = protocol.FileMessage(info)
		return err
	})
}

func (s *service) List(request *driverpb.ListRequest, stream driverpb.StorageDriver_ListServer) error {
	return s.guarded(request.Path, func() error {
		driver, err := s.on(stream.Context(), allowed, request.Path)
		if err != nil {
			return err
		}
		entries, err := driver.List(stream.Context(), request.Path)
		if err != nil {
			return err
		}
		if byPath := func(a, b FileInfo) int { return strings.Compare(a.Path, b.Path) }; !slices.IsSortedFunc(entries, byPath) {
			entries = slices.Clone(entries)
			slices.SortStableFunc(entries, byPath)
		}
		return inBatches(entries, protocol.FileMessage, func(batch []*driverpb.FileInfo) error {
			return stream.Send(&driverpb.ListReply{Entries: batch})
		})
	})
}

func (s *service) Uploads(request *driverpb.UploadsRequest, stream driverpb.StorageDriver_UploadsServer) error {
	return s.guarded(request.Below, func() error {
		driver, err := s.on(stream.Context(), allowed, request.Below)
		if err != nil {
			return err
		}
		uploads, err := driver.Uploads(stream.Context(), request.Below)
		if err != nil {
			return err
		}
		uploads = slices.Clone(uploads)
		slices.SortStableFunc(uploads, func(a, b UploadInfo) int { return strings.Compare(a.Path, b.Path) })
		return inBatches(uploads, protocol.UploadMessage, func(batch []*driverpb.UploadInfo) error {
			return stream.Send(&driverpb.UploadsReply{Uploads: batch})
		})
	})
}

// Sends items in messages that are neither too many nor too large.
func inBatches[I any, M proto.Message](items []I, message func(I) M, send func([]M) error) error {
	var batch []M
	size := 0
	for _, item := range items {
		next := message(item)
		length := proto.Size(next)
		if len(batch) == protocol.BatchEntries || len(batch) > 0 && size+length > protocol.BatchSize {
			if err := send(batch); err != nil {
				return err
			}
			batch, size = nil, 0
		}
		batch, size = append(batch, next), size+length
	}
	if len(batch) == 0 {
		return nil
	}
	return send(batch)
}

func (s *service) Rename(ctx context.Context, request *driverpb.RenameRequest) (*driverpb.RenameReply, error) {
	return &driverpb.RenameReply{}, s.guarded(request.From, func() error {
		driver, err := s.on(ctx, refused, request.From, request.To)
		if err != nil {
			return err
		}
		if request.From != request.To {
			return driver.Rename(ctx, request.From, request.To)
		}
		info, err := driver.Stat(ctx, request.From)
		if err == nil && info.IsDir() {
			err = NotFound(request.From)
		}
		return err
	})
}

func (s *service) Delete(ctx context.Context, request *driverpb.DeleteRequest) (*driverpb.DeleteReply, error) {
	return &driverpb.DeleteReply{}, s.guarded(request.Path, func() error {
		driver, err := s.on(ctx, refused, request.Path)
		if err != nil {
			return err
		}
		return driver.Delete(ctx, request.Path)
	})
}

func (s *service) AbortUpload(ctx context.Context, request *driverpb.AbortUploadRequest) (*driverpb.AbortUploadReply, error) {
	path := request.GetUpload().GetPath()
	return &driverpb.AbortUploadReply{}, s.guarded(path, func() error {
		driver, err := s.on(ctx, refused, path)
		if err != nil {
			return err
		}
		upload, err := protocol.FromUploadMessage(request.Upload)
		if err != nil {
			return err
		}
		return driver.AbortUpload(ctx, upload)
	})
}

func (s *service) RedirectUrl(ctx context.Context, request *driverpb.RedirectUrlRequest) (*driverpb.RedirectUrlReply, error) {
	reply := &driverpb.RedirectUrlReply{}
	return reply, s.guarded(request.Path, func() error {
		driver, err := s.on(ctx, refused, request.Path)
		redirector, ok := driver.(Redirector)
		if err != nil || !ok {
			return err
		}
		asked := RedirectRequest{Method: request.Method, ClientAddress: request.ClientAddress, Expiry: request.Expiry.AsDuration()}
		for _, header := range request.Headers {
			asked.Headers = append(asked.Headers, Header{header.GetName(), header.GetValue()})
		}
		url, err := redirector.RedirectURL(ctx, request.Path, asked)
		if url != "" {
			reply.Url = &url
		}
		return err
	})
}

func (s *service) Examine(ctx context.Context, request *driverpb.ExamineRequest) (*driverpb.ExamineReply, error) {
	reply := &driverpb.ExamineReply{}
	return reply, s.guarded(request.Scratch, func() error {
		driver, err := s.on(ctx, refused, request.Scratch)
		examiner, ok := driver.(Examiner)
		if err != nil || !ok {
			return err
		}
		findings, err := examiner.Examine(ctx, request.Scratch)
		for _, finding := range findings {
			reply.Findings = append(reply.Findings, &driverpb.Finding{
				What:       finding.What,
				Outcome:    driverpb.Outcome(finding.Outcome),
				IsSurprise: finding.IsSurprise,
				Detail:     finding.Detail,
			})
		}
		return err
	})
}
