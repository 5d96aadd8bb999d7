package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
)

func TestAnErrorIsTheSameBehindTheBoundary(t *testing.T) {
	size := uint64(3)
	for number := range driverpb.ErrorKind_name {
		kind := Kind(number)
		err := &Error{Kind: kind, Driver: "s3", Operation: "commit", Path: "/a/b", Reason: "why", Cause: errors.New("below")}
		switch kind {
		case InvalidOffset:
			err.Offset, err.Size = 7, &size
		case Throttled:
			err.RetryAfter = 1500 * time.Millisecond
		case InvalidParameter:
			err.Parameter = "bucket"
		}
		end := ToStatus(err)
		if code := status.Code(end); code != kind.Code() {
			t.Errorf("%v has the code %v", kind, code)
		}
		again := AsError(FromStatus(end, "/other"))
		if again.Error() != err.Error() || !errors.Is(again, kind) {
			t.Errorf("%v became %v", err, again)
		}
		again.Cause, err.Cause = nil, nil
		if !reflect.DeepEqual(again, err) {
			t.Errorf("%#v became %#v", err, again)
		}
	}
}

func TestTheCodesAreThoseOfThePage(t *testing.T) {
	for kind, code := range map[Kind]codes.Code{
		PathNotFound: codes.NotFound, InvalidPath: codes.InvalidArgument, InvalidParameter: codes.InvalidArgument,
		InvalidConfiguration: codes.InvalidArgument, InvalidOffset: codes.OutOfRange, Conflict: codes.Aborted,
		Unsupported: codes.Unimplemented, PermissionDenied: codes.PermissionDenied, Unauthenticated: codes.Unauthenticated,
		OutOfSpace: codes.ResourceExhausted, Throttled: codes.ResourceExhausted, Unavailable: codes.Unavailable,
		Corrupted: codes.DataLoss, Backend: codes.Internal, Kind(99): codes.Internal,
	} {
		if kind.Code() != code {
			t.Errorf("%v has the code %v", kind, kind.Code())
		}
	}
}

func TestCausesStandOnce(t *testing.T) {
	deep := fmt.Errorf("open: %w", errors.New("no such file"))
	for want, err := range map[string]error{
		"/a: conflict: why: open: no such file":                    &Error{Kind: Conflict, Path: "/a", Reason: "why", Cause: deep},
		"/a: conflict: stat: open: no such file":                   Errorf(Conflict, "/a", "stat: %w", deep),
		"open: no such file":                                       deep,
		"unavailable: the call was given up: context canceled":     context.Canceled,
		"corrupted: the reply: corrupted":                          fmt.Errorf("the reply: %w", Corrupted),
		"/a: path not found":                                       fmt.Errorf("wrapped: %w", NotFound("/a")),
		"/a: offset 9 is past the end of the content of 3 bytes":   OffsetPastEnd("/a", 9, 3),
		`parameter "bucket": is missing`:                           BadParameter("bucket", "is missing"),
		"/a: offset 9 is past the end of the content":              &Error{Kind: InvalidOffset, Path: "/a", Offset: 9},
		"s3: put_content /a: out of space: quota: asked: 12 bytes": &Error{Kind: OutOfSpace, Driver: "s3", Operation: "put_content", Path: "/a", Reason: "quota", Cause: &remote{"asked", errors.New("12 bytes")}},
	} {
		for _, text := range []string{AsError(err).Error(), FromStatus(ToStatus(err), "").Error()} {
			if text != want {
				t.Errorf("%q instead of %q", text, want)
			}
		}
	}
	if !errors.Is(Errorf(Backend, "/a", "read: %w", context.Canceled), context.Canceled) {
		t.Error("the cause is not found")
	}
}

func TestLongTextsAreCutAndAllOfAnErrorFitsIntoAHeader(t *testing.T) {
	long := strings.Repeat("ä", 100_000)
	end := ToStatus(&Error{Path: "/a/b", Reason: long + "\xff", Cause: errors.New(long)})
	details := status.Convert(end).Proto().GetDetails()
	if size := len(details[0].Value); size > 4200 {
		t.Errorf("the details have %d bytes", size)
	}
	if text := FromStatus(end, "").Error(); !strings.HasSuffix(text, "…") || !strings.HasPrefix(text, "/a/b: ää") {
		t.Errorf("%.40s … %s", text, text[len(text)-10:])
	}
	if size := len(status.Convert(end).Message()); size > 1024 {
		t.Errorf("the message has %d bytes", size)
	}
	end = ToStatus(Errorf(InvalidPath, long, "is too long"))
	if text := FromStatus(end, "").Error(); !strings.HasSuffix(text, "is too long") {
		t.Error(text)
	}
}

func TestWhatIsNotUTF8DoesNotBreakTheMessage(t *testing.T) {
	err := FromStatus(ToStatus(Errorf(Conflict, "/a\xff", "a name \xfe\xff")), "")
	if !errors.Is(err, Conflict) || !strings.Contains(err.Error(), "a name \uFFFD") {
		t.Error(err)
	}
}

func TestAStatusWithoutDetailsIsTakenByItsCode(t *testing.T) {
	for code, kind := range map[codes.Code]Kind{
		codes.Unavailable: Unavailable, codes.DeadlineExceeded: Unavailable, codes.Canceled: Unavailable,
		codes.Unimplemented: Unsupported, codes.NotFound: Backend, codes.Unknown: Backend,
	} {
		err := AsError(FromStatus(status.Error(code, "text"), "/a"))
		if err.Kind != kind || err.Path != "/a" || !strings.Contains(err.Reason, "text") {
			t.Errorf("%v became %v", code, err)
		}
	}
	if kind := FromErrorMessage(&driverpb.Error{Kind: 99, Reason: "new"}).Kind; kind != Backend {
		t.Error(kind)
	}
	if ToStatus(nil) != nil || FromStatus(nil, "/") != nil || AsError(nil) != nil {
		t.Error("nil is not nil any more")
	}
}

func TestParametersSurvive(t *testing.T) {
	parameters := map[string]any{
		"null": nil, "switch": true, "count": 7, "port": uint16(80), "ratio": 0.5, "text": "x", "json": json.Number("12"),
		"list": []string{"a", "b"}, "map": map[any]any{"inner": []any{1, nil}},
	}
	values, err := Values(parameters)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"null": nil, "switch": true, "count": int64(7), "port": int64(80), "ratio": 0.5, "text": "x", "json": int64(12),
		"list": []any{"a", "b"}, "map": map[string]any{"inner": []any{int64(1), nil}},
	}
	if again := FromValues(values); !reflect.DeepEqual(again, want) {
		t.Errorf("%v", again)
	}
}

func TestAParameterOfAnotherTypeIsRefusedByNameWithoutItsValue(t *testing.T) {
	for _, value := range []any{
		struct{ Secret string }{"hunter2"}, []any{map[int]string{1: "hunter2"}}, uint64(math.MaxUint64), json.Number("hunter2"),
	} {
		_, err := Values(map[string]any{"key": value})
		if !errors.Is(err, InvalidParameter) || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), `"key"`) {
			t.Error(err)
		}
	}
}

func TestEntriesAndUploadsSurvive(t *testing.T) {
	at := time.Unix(-5, 7).UTC()
	for _, info := range []FileInfo{
		{Path: "/a", Kind: Directory},
		{Path: "/a/b", Kind: File},
		{Path: "/a/b", Kind: File, Modified: at, Version: `"x"`},
		{Path: "/a/b", Kind: FileAndDirectory, Modified: at, Size: 3},
	} {
		if again, err := FromFileMessage(FileMessage(info)); err != nil || again != info {
			t.Errorf("%v became %v: %v", info, again, err)
		}
	}
	upload := UploadInfo{"/a", 9, at, "id"}
	if again, err := FromUploadMessage(UploadMessage(upload)); err != nil || again != upload {
		t.Errorf("%v became %v: %v", upload, again, err)
	}
	for _, message := range []*driverpb.FileInfo{
		{Path: "../x", Kind: driverpb.EntryKind_ENTRY_KIND_FILE},
		{Path: "/x", Kind: 77},
		{Path: "/x", Kind: driverpb.EntryKind_ENTRY_KIND_FILE, Modified: &timestamppb.Timestamp{Nanos: -1}},
	} {
		if _, err := FromFileMessage(message); !errors.Is(err, Backend) {
			t.Errorf("%v: %v", message, err)
		}
	}
	if _, err := FromUploadMessage(&driverpb.UploadInfo{Path: "/a"}); err == nil {
		t.Error("an upload without a time was taken")
	}
}

func TestTheGrammarOfPaths(t *testing.T) {
	for _, good := range []string{"/", "/a", "/a/b", "/A-Z.z_9", "/...", "/.a", "/a..", "/-", "/_", "/a/.../b"} {
		if err := CheckPath(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "abc", "//bcd", "/a/", "/a//b", "/.", "/..", "/../x", "/a/./b", "/a/..", "/a b", "/ä", "/a\x00", "/~", "/a\n", "//"} {
		if err := CheckPath(bad); !errors.Is(err, InvalidPath) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := CheckLimits("/abc/defg", 8, 4); err == nil || !strings.Contains(err.Error(), "limit is 8 bytes") {
		t.Error(err)
	}
	if err := CheckLimits("/abcde", 8, 4); err == nil || !strings.Contains(err.Error(), "limit is 4 bytes") {
		t.Error(err)
	}
	if err := CheckLimits("/"+strings.Repeat("a", 255), 0, 0); err != nil {
		t.Error(err)
	}
	if IsBelow("/ab", "/a") || IsBelow("/a", "/a") || !IsBelow("/a/b", "/a") || !IsBelow("/a", "/") || IsBelow("/", "/") {
		t.Error("a path lies where it does not")
	}
}

func TestTheTwoOrders(t *testing.T) {
	for order, texts := range map[WalkOrder][]string{
		KeyOrder:  {"/", "/a", "/a-b", "/a-b/", "/a.b", "/a/", "/a/-", "/a/x", "/a/x/", "/a/~", "/a0", "/~"},
		TreeOrder: {"/", "/a", "/a/", "/a/-", "/a/x", "/a/x/", "/a/x/~", "/a/~", "/a-b", "/a-b/", "/a.b", "/a0", "/~"},
	} {
		var keys []WalkKey
		for _, text := range texts {
			key, err := ParseWalkKey(text)
			if err != nil || key.String() != text {
				t.Errorf("%q became %q: %v", text, key, err)
			}
			keys = append(keys, key)
		}
		mixed := slices.Clone(keys)
		slices.Reverse(mixed)
		slices.SortFunc(mixed, func(a, b WalkKey) int { return a.Compare(b, order) })
		if !slices.Equal(mixed, keys) {
			t.Errorf("%v", mixed)
		}
	}
	for _, bad := range []string{"", "a", "//", "//~", "/~/", "/a//", "/a~"} {
		if _, err := ParseWalkKey(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
