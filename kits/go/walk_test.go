package storagedriver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// A tree, as the texts of the keys of its entries: a directory's ends in `/`. Its lists are unsorted, and leave time and size out for
// names that begin with `u`.
type tree []string

func (tr tree) list(directory string) ([]storagedriver.FileInfo, error) {
	prefix := strings.TrimSuffix(directory, "/") + "/"
	kinds := map[string]storagedriver.EntryKind{}
	for _, key := range tr {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok || rest == "" {
			continue
		}
		name, _, isDirectory := strings.Cut(rest, "/")
		kind := storagedriver.File
		if isDirectory {
			kind = storagedriver.Directory
		}
		if before, ok := kinds[name]; ok && before != kind {
			kind = storagedriver.FileAndDirectory
		}
		kinds[name] = kind
	}
	if len(kinds) == 0 && directory != "/" {
		return nil, storagedriver.NotFound(directory)
	}
	var entries []storagedriver.FileInfo
	for name, kind := range kinds {
		info := storagedriver.FileInfo{Path: prefix + name, Kind: kind}
		if kind != storagedriver.Directory && !strings.HasPrefix(name, "u") {
			info.Size, info.Modified = 1, time.Unix(1, 0)
		}
		entries = append(entries, info)
	}
	return entries, nil
}

func (tr tree) driver() *fake {
	return &fake{list: tr.list, stat: func(_ context.Context, path string) (storagedriver.FileInfo, error) {
		if path == "/d/u-gone" {
			return storagedriver.FileInfo{}, storagedriver.NotFound(path)
		}
		return file(path), nil
	}}
}

var (
	example  = tree{"/a", "/a-b", "/a/x", "/a/y/z", "/a0", "/d/u-gone", "/d/u1"}
	keyOrder = []string{"/a", "/a-b", "/a/", "/a/x", "/a/y/", "/a/y/z", "/a0", "/d/", "/d/u1"}
	// The separator before every other character.
	treeOrder = []string{"/a", "/a/", "/a/x", "/a/y/", "/a/y/z", "/a-b", "/a0", "/d/", "/d/u1"}
)

func key(entry *driverpb.FileInfo) string {
	if entry.Kind == driverpb.EntryKind_ENTRY_KIND_DIRECTORY {
		return entry.Path + "/"
	}
	if entry.Size == nil || entry.Modified == nil {
		return entry.Path + " without size or time"
	}
	return entry.Path
}

func startWalk(t *testing.T, client driverpb.StorageDriverClient, start *driverpb.WalkStart) driverpb.StorageDriver_WalkClient {
	t.Helper()
	stream, err := client.Walk(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_Start{Start: start}}); err != nil {
		t.Fatal(err)
	}
	return stream
}

func more(t *testing.T, stream driverpb.StorageDriver_WalkClient, credit uint64) {
	t.Helper()
	if err := stream.Send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_More{More: &driverpb.WalkMore{Credit: credit}}}); err != nil {
		t.Fatal(err)
	}
}

// All entries of a walk.
func walkAll(t *testing.T, client driverpb.StorageDriverClient, start *driverpb.WalkStart) ([]string, error) {
	t.Helper()
	return rest(t, startWalk(t, client, start))
}

func rest(t *testing.T, stream driverpb.StorageDriver_WalkClient) (keys []string, err error) {
	t.Helper()
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return keys, err
		}
		if len(reply.Entries) == 0 || len(reply.Entries) > 1000 {
			t.Errorf("a batch of %d", len(reply.Entries))
		}
		for _, entry := range reply.Entries {
			keys = append(keys, key(entry))
		}
	}
}

var orders = map[driverpb.WalkOrder][]string{
	driverpb.WalkOrder_WALK_ORDER_KEY:  keyOrder,
	driverpb.WalkOrder_WALK_ORDER_TREE: treeOrder,
}

func TestAWalkOverListsKeepsBothOrders(t *testing.T) {
	client := served(t, example.driver())
	for order, want := range orders {
		keys, err := walkAll(t, client, &driverpb.WalkStart{Path: "/", Order: order, Credit: 100})
		if err != nil || !slices.Equal(keys, want) {
			t.Errorf("%v: %v, %v", order, keys, err)
		}
		keys, err = walkAll(t, client, &driverpb.WalkStart{Path: "/a", Order: order, Credit: 100})
		if err != nil || !slices.Equal(keys, []string{"/a/x", "/a/y/", "/a/y/z"}) {
			t.Errorf("%v: %v, %v", order, keys, err)
		}
	}
	_, err := walkAll(t, client, &driverpb.WalkStart{Path: "/none", Order: 1, Credit: 1})
	wantKind(t, err, protocol.PathNotFound, "/none")
	_, err = walkAll(t, client, &driverpb.WalkStart{Path: "/", Order: 9, Credit: 1})
	wantKind(t, err, protocol.Unsupported, "order 9")
	_, err = walkAll(t, client, &driverpb.WalkStart{Path: "/", Order: 1, StartAfter: "/a//", Credit: 1})
	wantKind(t, err, protocol.InvalidPath)
	empty := served(t, tree{}.driver())
	if keys, err := walkAll(t, empty, &driverpb.WalkStart{Path: "/", Order: 1}); err != nil || len(keys) != 0 {
		t.Errorf("%v, %v", keys, err)
	}
}

func TestAWalkStartsAfterEveryPlace(t *testing.T) {
	client := served(t, example.driver())
	for order, all := range orders {
		for _, after := range append([]string{"/", "/~", "/0", "/a/~", "/a/y/~", "/b", "/d/~", "/a/x/", "/z/z"}, all...) {
			place, err := protocol.ParseWalkKey(after)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, each := range all {
				if key, _ := protocol.ParseWalkKey(each); key.Compare(place, protocol.WalkOrder(order)) > 0 {
					want = append(want, each)
				}
			}
			keys, err := walkAll(t, client, &driverpb.WalkStart{Path: "/", Order: order, StartAfter: after, Credit: 100})
			if err != nil || !slices.Equal(keys, want) {
				t.Errorf("%v after %s: %v instead of %v, %v", order, after, keys, want, err)
			}
		}
	}
}

func TestAWalkSendsNoMoreThanItHasCreditForAndSaysThatItIsOver(t *testing.T) {
	client := served(t, example.driver())
	stream := startWalk(t, client, &driverpb.WalkStart{Path: "/", Order: 1, Credit: 2})
	var keys []string
	for credit := 2; len(keys) < len(keyOrder); credit = 3 {
		for came := 0; came < credit && len(keys) < len(keyOrder); {
			reply, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			came += len(reply.Entries)
			if came > credit {
				t.Fatalf("%d entries on a credit of %d", came, credit)
			}
			for _, entry := range reply.Entries {
				keys = append(keys, key(entry))
			}
		}
		if len(keys) < len(keyOrder) {
			more(t, stream, 3)
		}
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if !slices.Equal(keys, keyOrder) {
		t.Errorf("%v", keys)
	}
	// The end needs no credit.
	keys, err := walkAll(t, client, &driverpb.WalkStart{Path: "/", Order: 1, Credit: uint64(len(keyOrder))})
	if err != nil || len(keys) != len(keyOrder) {
		t.Errorf("%v, %v", keys, err)
	}
}

func TestAHostThatGivesNoMoreCreditIsTold(t *testing.T) {
	client := served(t, example.driver())
	stream := startWalk(t, client, &driverpb.WalkStart{Path: "/", Order: 1, Credit: 2})
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	keys, err := rest(t, stream)
	wantKind(t, err, protocol.Backend, "before the walk was over")
	if !slices.Equal(keys, keyOrder[:2]) {
		t.Errorf("%v", keys)
	}
	stream = startWalk(t, client, &driverpb.WalkStart{Path: "/", Order: 1, Credit: 100})
	_ = stream.CloseSend()
	if keys, err := rest(t, stream); err != nil || !slices.Equal(keys, keyOrder) {
		t.Errorf("%v, %v", keys, err)
	}
}

// Skips each directory in turn as soon as it comes, and drops what lies below as a host does.
func TestAWalkSkips(t *testing.T) {
	client := served(t, example.driver())
	for order, all := range orders {
		for _, skipped := range []string{"/a/", "/a/y/", "/d/"} {
			for _, credit := range []uint64{1, 100} {
				stream := startWalk(t, client, &driverpb.WalkStart{Path: "/", Order: order, Credit: credit})
				var keys, want []string
				for _, each := range all {
					if each == skipped || !strings.HasPrefix(each, skipped) {
						want = append(want, each)
					}
				}
				for {
					reply, err := stream.Recv()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					for _, entry := range reply.Entries {
						if key(entry) == skipped {
							_ = stream.Send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_Skip{Skip: &driverpb.WalkSkip{Path: entry.Path}}})
						}
						if key(entry) == skipped || !strings.HasPrefix(entry.Path, skipped) {
							keys = append(keys, key(entry))
						}
						_ = stream.Send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_More{More: &driverpb.WalkMore{Credit: 1}}})
					}
				}
				if !slices.Equal(keys, want) {
					t.Errorf("%v, %s, %d: %v", order, skipped, credit, keys)
				}
			}
		}
	}
}

func TestASkippedDirectoryIsNotListed(t *testing.T) {
	var listed []string
	driver := example.driver()
	driver.list = func(path string) ([]storagedriver.FileInfo, error) {
		listed = append(listed, path)
		return example.list(path)
	}
	client := served(t, driver)
	stream := startWalk(t, client, &driverpb.WalkStart{Path: "/", Order: 2, Credit: 2})
	for came := 0; came < 2; {
		reply, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		came += len(reply.Entries)
	}
	// The driver is one entry ahead, in `/a`. What comes next lies behind it.
	_ = stream.Send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_Skip{Skip: &driverpb.WalkSkip{Path: "/a"}}})
	more(t, stream, 100)
	keys, err := rest(t, stream)
	if err != nil || !slices.Equal(keys, []string{"/a-b", "/a0", "/d/", "/d/u1"}) {
		t.Errorf("%v, %v", keys, err)
	}
	if !slices.Equal(listed, []string{"/", "/a", "/d"}) {
		t.Errorf("%v", listed)
	}
}

// A walk of the driver's own.
type ownWalk struct {
	keys    []string
	skipped string
	goOn    chan struct{}
	closed  chan struct{}
}

func (w *ownWalk) Next(ctx context.Context) (storagedriver.FileInfo, error) {
	if len(w.keys) == 0 {
		return storagedriver.FileInfo{}, io.EOF
	}
	next := w.keys[0]
	w.keys = w.keys[1:]
	if next == "wait" {
		select {
		case <-w.goOn:
		case <-ctx.Done():
			return storagedriver.FileInfo{}, ctx.Err()
		}
		return w.Next(ctx)
	}
	if path, ok := strings.CutSuffix(next, "/"); ok {
		return directory(path), nil
	}
	return file(next), nil
}

func (w *ownWalk) Skip(path string) { w.skipped = path }
func (w *ownWalk) Close()           { close(w.closed) }

type walking struct {
	*fake
	walk *ownWalk
}

func (w walking) Walk(context.Context, string, storagedriver.WalkOptions) (storagedriver.Walk, error) {
	if w.walk == nil {
		return nil, nil
	}
	return w.walk, nil
}

func TestEntriesComeAsSoonAsTheyAreThere(t *testing.T) {
	walk := &ownWalk{keys: []string{"/a/", "/a/1", "wait", "/a/2", "/b"}, goOn: make(chan struct{}), closed: make(chan struct{})}
	client := served(t, walking{&fake{}, walk})
	stream := startWalk(t, client, &driverpb.WalkStart{Path: "/", Order: 1, Credit: 100})
	for came := 0; came < 2; {
		reply, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		came += len(reply.Entries)
	}
	// The walk waits; the skip is heard before it goes on, and what it still gives from there is left out.
	_ = stream.Send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_Skip{Skip: &driverpb.WalkSkip{Path: "/a"}}})
	time.Sleep(50 * time.Millisecond)
	close(walk.goOn)
	keys, err := rest(t, stream)
	if err != nil || !slices.Equal(keys, []string{"/b"}) {
		t.Errorf("%v, %v", keys, err)
	}
	within(t, walk.closed, "the end of the walk")
	if walk.skipped != "/a" {
		t.Errorf("%q", walk.skipped)
	}
}

func TestADroppedWalkIsClosed(t *testing.T) {
	walk := &ownWalk{keys: []string{"/a", "wait"}, goOn: make(chan struct{}), closed: make(chan struct{})}
	client := served(t, walking{&fake{}, walk})
	ctx, cancel := context.WithCancel(t.Context())
	stream, _ := client.Walk(ctx)
	_ = stream.Send(&driverpb.WalkRequest{Step: &driverpb.WalkRequest_Start{Start: &driverpb.WalkStart{Path: "/", Order: 1, Credit: 9}}})
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	cancel()
	within(t, walk.closed, "the end of the walk")
}

func TestADriverMayLeaveTheWalkToTheKit(t *testing.T) {
	client := served(t, walking{example.driver(), nil})
	if keys, err := walkAll(t, client, &driverpb.WalkStart{Path: "/", Order: 1, Credit: 100}); err != nil || !slices.Equal(keys, keyOrder) {
		t.Errorf("%v, %v", keys, err)
	}
}

func TestAWalkOverTenThousandChildren(t *testing.T) {
	var wide tree
	for number := range 10_000 {
		wide = append(wide, fmt.Sprintf("/w/%05d", number))
	}
	client := served(t, wide.driver())
	keys, err := walkAll(t, client, &driverpb.WalkStart{Path: "/w", Order: 1, Credit: 1 << 40})
	if err != nil || !slices.Equal(keys, wide) {
		t.Errorf("%d entries, %v", len(keys), err)
	}
}
