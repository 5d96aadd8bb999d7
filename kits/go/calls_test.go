package storagedriver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

func TestTheHighestVersionThatBothSpeakIsChosen(t *testing.T) {
	client := unopened(t, storagedriver.NewServer("fake", "1.2.3", factoryOf(&fake{})))
	for _, each := range []struct{ least, most, chosen uint32 }{
		{1, 1, 1}, {1, 7, 1}, {0, 1, 1}, {2, 7, 0}, {0, 0, 0}, {3, 1, 0},
	} {
		reply, err := client.Negotiate(t.Context(), &driverpb.NegotiateRequest{MinVersion: each.least, MaxVersion: each.most, Capabilities: []string{"new"}})
		if err != nil || reply.Version != each.chosen {
			t.Errorf("%d to %d: %d, %v", each.least, each.most, reply.GetVersion(), err)
		}
		if reply.MinVersion != 1 || reply.MaxVersion != 1 || reply.Driver != "fake" || !strings.Contains(reply.Program, "1.2.3") {
			t.Errorf("%v", reply)
		}
	}
}

// A driver that can do more.
type able struct{ *fake }

func (able) KeyPrefix() string { return "bucket/" }

func (able) RedirectURL(_ context.Context, path string, request storagedriver.RedirectRequest) (string, error) {
	if request.Method != "GET" {
		return "", nil
	}
	return fmt.Sprintf("https://x%s?%s&%s&%v", path, request.ClientAddress, request.Headers[0].Value, request.Expiry), nil
}

func (able) Examine(_ context.Context, scratch string) ([]storagedriver.Finding, error) {
	return []storagedriver.Finding{{What: scratch, Outcome: storagedriver.OutcomeNo, IsSurprise: true, Detail: "d"}}, nil
}

func TestCapabilitiesAreThoseOfTheType(t *testing.T) {
	servers := map[string]*storagedriver.Server{
		"":                 storagedriver.NewServer("fake", "1", factoryOf(&fake{})),
		"redirect examine": storagedriver.NewServer("fake", "1", factoryOf(able{&fake{}})),
		// Nobody knows before it is opened.
		"redirect examine ": storagedriver.NewServer("fake", "1", factoryOf(storagedriver.Driver(&fake{}))),
	}
	for want, server := range servers {
		reply, err := unopened(t, server).Negotiate(t.Context(), &driverpb.NegotiateRequest{MinVersion: 1, MaxVersion: 1})
		if got := strings.Join(reply.GetCapabilities(), " "); err != nil || got != strings.TrimSpace(want) {
			t.Errorf("%q instead of %q: %v", got, want, err)
		}
	}
}

func TestWhatADriverCanDoBeyondTheLeastIsCalled(t *testing.T) {
	client := served(t, able{&fake{}})
	reply, err := client.Open(t.Context(), &driverpb.OpenRequest{})
	if err != nil || reply.GetKeyPrefix() != "bucket/" {
		t.Errorf("%v, %v", reply, err)
	}
	request := &driverpb.RedirectUrlRequest{
		Path: "/a", Method: "GET", ClientAddress: "::1", Expiry: durationpb.New(time.Minute),
		Headers: []*driverpb.Header{{Name: "range", Value: "r"}},
	}
	url, err := client.RedirectUrl(t.Context(), request)
	if err != nil || url.GetUrl() != "https://x/a?::1&r&1m0s" {
		t.Errorf("%v, %v", url, err)
	}
	request.Method = "PUT"
	if url, err := client.RedirectUrl(t.Context(), request); err != nil || url.Url != nil {
		t.Errorf("%v, %v", url, err)
	}
	findings, err := client.Examine(t.Context(), &driverpb.ExamineRequest{Scratch: "/s"})
	want := &driverpb.Finding{What: "/s", Outcome: driverpb.Outcome_OUTCOME_NO, IsSurprise: true, Detail: "d"}
	if err != nil || !proto.Equal(findings.GetFindings()[0], want) {
		t.Errorf("%v, %v", findings, err)
	}
	plain := served(t, storagedriver.Driver(&fake{}))
	if url, err := plain.RedirectUrl(t.Context(), request); err != nil || url.Url != nil {
		t.Errorf("%v, %v", url, err)
	}
}

func TestADriverIsOpenedOnce(t *testing.T) {
	opened := 0
	server := storagedriver.NewServer("fake", "1", func(_ context.Context, parameters storagedriver.Parameters) (*fake, error) {
		opened++
		if _, err := parameters.RequiredText("bucket"); err != nil {
			return nil, err
		}
		return &fake{guarantees: storagedriver.Guarantees{Lacking: []storagedriver.Guarantee{storagedriver.Durable}, PathLimit: 900}}, nil
	})
	client := unopened(t, server)
	_, err := client.Stat(t.Context(), &driverpb.StatRequest{Path: "/"})
	wantKind(t, err, protocol.InvalidConfiguration, "not open")
	_, err = client.Open(t.Context(), &driverpb.OpenRequest{})
	wantKind(t, err, protocol.InvalidParameter, "bucket", "is missing")
	parameters, _ := protocol.Values(map[string]any{"bucket": "b"})
	first, err := client.Open(t.Context(), &driverpb.OpenRequest{Parameters: parameters})
	if err != nil || first.PathLimit != 900 || first.ComponentLimit != 0 || !reflect.DeepEqual(first.Lacking, []string{"durable"}) {
		t.Errorf("%v, %v", first, err)
	}
	again, err := client.Open(t.Context(), &driverpb.OpenRequest{})
	if err != nil || !proto.Equal(again, first) || opened != 2 {
		t.Errorf("%v, %v, opened %d times", again, err, opened)
	}
	_, err = client.Open(t.Context(), &driverpb.OpenRequest{Parameters: parameters})
	wantKind(t, err, protocol.InvalidConfiguration, "open already")
	_, err = client.Stat(t.Context(), &driverpb.StatRequest{Path: "/" + strings.Repeat("a/", 449) + "ab"})
	wantKind(t, err, protocol.InvalidPath, "limit is 900 bytes")
}

func TestEveryKindOfErrorArrivesWithItsDetails(t *testing.T) {
	size := uint64(3)
	driver := &fake{}
	client := served(t, driver)
	for number := range driverpb.ErrorKind_name {
		want := &protocol.Error{
			Kind: protocol.Kind(number), Driver: "inner", Operation: "list", Path: "/x", Reason: "why",
			Offset: 7, Size: &size, RetryAfter: 2 * time.Second, Parameter: "p",
		}
		driver.stat = func(context.Context, string) (storagedriver.FileInfo, error) { return storagedriver.FileInfo{}, want }
		_, err := client.Stat(t.Context(), &driverpb.StatRequest{Path: "/a"})
		if got := failure(err); !reflect.DeepEqual(got, want) || status.Code(err) != want.Kind.Code() {
			t.Errorf("%#v instead of %#v", got, want)
		}
	}
	for want, err := range map[string]error{
		"/a: disk on fire": errors.New("disk on fire"),
		"/a: unavailable: the call was given up: context canceled": context.Canceled,
		"/a: conflict: " + strings.Repeat("x", 4000)[:3950]:        storagedriver.Errorf(storagedriver.Conflict, "", "%s", strings.Repeat("x", 5000)),
	} {
		driver.stat = func(context.Context, string) (storagedriver.FileInfo, error) { return storagedriver.FileInfo{}, err }
		_, err := client.Stat(t.Context(), &driverpb.StatRequest{Path: "/a"})
		if got := failure(err).Error(); !strings.HasPrefix(got, want) || len(got) > 4200 {
			t.Errorf("%.100q instead of %.100q", got, want)
		}
	}
}

func TestAPanicIsAnErrorOfThatCallAndSaysNothingToTheHost(t *testing.T) {
	driver := &fake{
		stat: func(context.Context, string) (storagedriver.FileInfo, error) { panic("hunter2") },
		list: func(string) ([]storagedriver.FileInfo, error) { panic("hunter2") },
		writer: func(context.Context, string, storagedriver.WriteMode) (storagedriver.FileWriter, error) {
			return &recorder{write: func([]byte) error { panic("hunter2") }}, nil
		},
	}
	client := served(t, driver)
	_, stat := client.Stat(t.Context(), &driverpb.StatRequest{Path: "/a"})
	list, _ := client.List(t.Context(), &driverpb.ListRequest{Path: "/a"})
	_, listed := list.Recv()
	_, walked := walkAll(t, client, &driverpb.WalkStart{Path: "/a", Order: driverpb.WalkOrder_WALK_ORDER_KEY, Credit: 9})
	upload := openUpload(t, client, "/a")
	upload.chunk(1, "x", true)
	refused := protocol.ToStatus(protocol.FromErrorMessage(upload.recv().GetRefused().GetError()))
	for _, err := range []error{stat, listed, walked, refused} {
		wantKind(t, err, protocol.Backend, "/a", "stopped by a panic")
		if strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
}

func TestAPathIsCheckedBeforeTheDriverIsAsked(t *testing.T) {
	client := served(t, &fake{})
	ctx := t.Context()
	calls := map[string]func(path string) error{
		"stat":   func(path string) error { _, err := client.Stat(ctx, &driverpb.StatRequest{Path: path}); return err },
		"delete": func(path string) error { _, err := client.Delete(ctx, &driverpb.DeleteRequest{Path: path}); return err },
		"rename": func(path string) error {
			_, err := client.Rename(ctx, &driverpb.RenameRequest{From: "/a", To: path})
			return err
		},
		"get": func(path string) error {
			stream, _ := client.GetContent(ctx, &driverpb.GetContentRequest{Path: path})
			_, err := stream.Recv()
			return err
		},
		"read": func(path string) error {
			stream, _ := client.Read(ctx, &driverpb.ReadRequest{Path: path})
			_, err := stream.Recv()
			return err
		},
		"put": func(path string) error {
			stream, _ := client.PutContent(ctx)
			_ = stream.Send(&driverpb.PutContentRequest{Path: path, Last: true})
			_, err := stream.CloseAndRecv()
			return err
		},
		"write": func(path string) error {
			stream, _ := client.Write(ctx)
			_ = stream.Send(&driverpb.WriteRequest{Step: &driverpb.WriteRequest_Open{Open: &driverpb.WriteOpen{Path: path, Mode: 1}}})
			_, err := stream.Recv()
			return err
		},
		"abort": func(path string) error {
			_, err := client.AbortUpload(ctx, &driverpb.AbortUploadRequest{Upload: &driverpb.UploadInfo{Path: path}})
			return err
		},
	}
	for name, call := range calls {
		for _, path := range []string{"", "a", "/a/", "/../a", "/a~", "/" + strings.Repeat("a", 256)} {
			wantKind(t, call(path), protocol.InvalidPath, path)
		}
		if name != "stat" {
			wantKind(t, call("/"), protocol.InvalidPath, "root")
		}
	}
}

func TestARenameOntoItselfIsAStat(t *testing.T) {
	driver := &fake{}
	client := served(t, driver)
	for want, info := range map[protocol.Kind]storagedriver.FileInfo{-1: file("/a"), protocol.PathNotFound: directory("/a")} {
		driver.stat = func(context.Context, string) (storagedriver.FileInfo, error) { return info, nil }
		_, err := client.Rename(t.Context(), &driverpb.RenameRequest{From: "/a", To: "/a"})
		if want == -1 && err != nil {
			t.Error(err)
		} else if want != -1 {
			wantKind(t, err, want, "/a")
		}
	}
	driver.rename = func(from, to string) error { return storagedriver.NotFound(from) }
	_, err := client.Rename(t.Context(), &driverpb.RenameRequest{From: "/a", To: "/b"})
	wantKind(t, err, protocol.PathNotFound, "/a")
}

func TestHealthAsksTheBackend(t *testing.T) {
	driver := &fake{stat: func(_ context.Context, path string) (storagedriver.FileInfo, error) {
		return storagedriver.FileInfo{}, storagedriver.Errorf(storagedriver.Unauthenticated, "", "%s", path)
	}}
	_, err := served(t, driver).Health(t.Context(), &driverpb.HealthRequest{})
	wantKind(t, err, protocol.Unauthenticated, "/: not authenticated: /")
}

func TestADroppedCallEndsTheContext(t *testing.T) {
	begun, over := make(chan struct{}), make(chan error)
	driver := &fake{stat: func(ctx context.Context, _ string) (storagedriver.FileInfo, error) {
		close(begun)
		<-ctx.Done()
		over <- ctx.Err()
		return storagedriver.FileInfo{}, ctx.Err()
	}}
	client := served(t, driver)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, _ = client.Stat(ctx, &driverpb.StatRequest{Path: "/a"}) }()
	within(t, begun, "the call")
	cancel()
	if err := within(t, over, "the end of the context"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestADeadlineReachesTheDriver(t *testing.T) {
	driver := &fake{stat: func(ctx context.Context, _ string) (storagedriver.FileInfo, error) {
		_, hasDeadline := ctx.Deadline()
		return storagedriver.FileInfo{}, fmt.Errorf("deadline: %v", hasDeadline)
	}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := served(t, driver).Stat(ctx, &driverpb.StatRequest{Path: "/a"})
	wantKind(t, err, protocol.Backend, "deadline: true")
}

// 10,000 names of the greatest length: more than any message holds.
func TestAListComesSortedInMessagesThatAreNotTooLarge(t *testing.T) {
	long := strings.Repeat("/"+strings.Repeat("d", 250), 14)
	var entries []storagedriver.FileInfo
	for number := range 10_000 {
		entries = append(entries, file(fmt.Sprintf("%s/%0250d", long, (number*7919)%10_000)))
	}
	client := served(t, &fake{list: func(string) ([]storagedriver.FileInfo, error) { return entries, nil }})
	stream, err := client.List(t.Context(), &driverpb.ListRequest{Path: long})
	if err != nil {
		t.Fatal(err)
	}
	count, last := 0, ""
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(reply.Entries) == 0 || len(reply.Entries) > 1000 {
			t.Fatalf("a batch of %d", len(reply.Entries))
		}
		for _, entry := range reply.Entries {
			if entry.Path <= last {
				t.Fatalf("%s came after %s", entry.Path[3500:], last[3500:])
			}
			count, last = count+1, entry.Path
		}
	}
	if count != 10_000 || entries[1].Path < entries[2].Path {
		t.Errorf("%d entries", count)
	}
}

func TestUploadsComeSortedAndGoBackAsTheyWere(t *testing.T) {
	at := time.Unix(5, 7).UTC()
	var aborted storagedriver.UploadInfo
	client := served(t, &fake{
		uploads: func(string) ([]storagedriver.UploadInfo, error) {
			return []storagedriver.UploadInfo{{Path: "/b", Size: 2, Modified: at, ID: "2"}, {Path: "/a", Size: 1, Modified: at, ID: "1"}}, nil
		},
		abort: func(upload storagedriver.UploadInfo) error { aborted = upload; return nil },
	})
	stream, _ := client.Uploads(t.Context(), &driverpb.UploadsRequest{Below: "/"})
	reply, err := stream.Recv()
	if err != nil || len(reply.Uploads) != 2 || reply.Uploads[0].Path != "/a" {
		t.Fatalf("%v, %v", reply, err)
	}
	if _, err := client.AbortUpload(t.Context(), &driverpb.AbortUploadRequest{Upload: reply.Uploads[1]}); err != nil {
		t.Error(err)
	}
	if want := (storagedriver.UploadInfo{Path: "/b", Size: 2, Modified: at, ID: "2"}); aborted != want {
		t.Errorf("%v", aborted)
	}
	_, err = client.AbortUpload(t.Context(), &driverpb.AbortUploadRequest{Upload: &driverpb.UploadInfo{Path: "/a", Modified: &timestamppb.Timestamp{Nanos: -1}}})
	if status.Code(err) != codes.Internal {
		t.Error(err)
	}
}

func TestParametersShowNothing(t *testing.T) {
	parameters := storagedriver.Parameters{"secretkey": "hunter2", "count": "seven", "switch": "maybe", "list": []any{"hunter2"}}
	texts := fmt.Sprintf("%v %+v %#v %s %d %q", parameters, parameters, parameters, parameters, parameters, parameters)
	_, text := parameters.Text("list", "")
	_, number := parameters.Integer("secretkey", 1)
	_, state := parameters.Switch("secretkey", true)
	_, missing := parameters.RequiredText("bucket")
	unknown := parameters.Only("count", "list")
	for _, err := range []error{text, number, state, missing, unknown} {
		if !errors.Is(err, storagedriver.InvalidParameter) {
			t.Error(err)
		}
		texts += err.Error()
	}
	if strings.Contains(texts, "hunter2") || strings.Contains(texts, "seven") {
		t.Error(texts)
	}
	given := storagedriver.Parameters{"a": int64(7), "b": "8", "c": true, "d": "false", "e": nil, "f": 0.5}
	a, _ := given.Integer("a", 0)
	b, _ := given.Integer("b", 0)
	c, _ := given.Switch("c", false)
	d, _ := given.Switch("d", true)
	e, _ := given.Text("e", "else")
	f, _ := given.Text("f", "")
	if a != 7 || b != 8 || !c || d || e != "else" || f != "0.5" {
		t.Error(a, b, c, d, e, f)
	}
}
