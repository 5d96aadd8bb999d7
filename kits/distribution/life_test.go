//go:build conformance

package distribution

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
)

const octets = "application/octet-stream"

func eachStore(t *testing.T, test func(t *testing.T, section map[string]any)) {
	for name, section := range map[string]map[string]any{"filesystem": sectionOfFiles(t), "s3": sectionOnCeph(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, section)
		})
	}
}

// Every file below a path, by the driver alone.
func filesBelow(t *testing.T, section map[string]any, from string) []string {
	t.Helper()
	made, err := New(context.Background(), section)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	var files []string
	err = made.Walk(context.Background(), from, func(info storagedriver.FileInfo) error {
		if !info.IsDir() {
			files = append(files, info.Path())
		}
		return nil
	})
	if err != nil && !isNotFound(err) {
		t.Fatal(err)
	}
	return files
}

func TestImagesArePushedPulledAndCollected(t *testing.T) {
	eachStore(t, func(t *testing.T, section map[string]any) {
		r := newRegistry(t, section)
		shared := someBytes(6 << 20)
		r.push("team/app:1", shared)
		r.push("team/app:2", someBytes(70_000))
		r.push("team/app/nested:1", shared)
		r.push("gone:1", someBytes(1000))
		r.must("copy", "@team/app:1", "@other:1")
		for _, name := range []string{"@team/app:1", "@team/app:2", "@team/app/nested:1", "@other:1"} {
			r.must("validate", "--remote", name)
			r.must("pull", name, t.TempDir()+"/image.tar")
		}
		if tags := r.must("ls", "@team/app"); tags != "1\n2" {
			t.Errorf("%q", tags)
		}
		if names := r.must("catalog", r.address); names != "gone\nother\nteam/app\nteam/app/nested" {
			t.Errorf("%q", names)
		}

		// A manifest is deleted, of another repository only the tag is.
		second, before := r.must("digest", "@team/app:2"), len(filesBelow(t, section, blobsRoot))
		r.must("delete", "@team/app@"+second)
		r.expect(http.StatusAccepted, http.MethodDelete, "/v2/gone/manifests/1", nil)
		// The repository is there, and has no tags.
		reply := r.expect(http.StatusOK, http.MethodGet, "/v2/gone/tags/list", nil)
		if text, _ := io.ReadAll(reply.Body); !strings.Contains(string(text), `"name":"gone"`) {
			t.Errorf("%s", text)
		}
		r.stop(syscall.SIGTERM)
		r.collect()
		if left := len(filesBelow(t, section, blobsRoot)); left != before-3 {
			t.Errorf("of %d blobs %d are left", before, left)
		}
		r.collect("--delete-untagged")
		if left := len(filesBelow(t, section, blobsRoot)); left != before-6 {
			t.Errorf("of %d blobs %d are left", before, left)
		}
		if left := filesBelow(t, section, repositoriesRoot+"/gone"); len(left) > 0 {
			t.Errorf("left of a repository without tags: %q", left)
		}
		r.start()
		if _, err := r.client("digest", "@team/app:2"); err == nil {
			t.Error("what was deleted is served")
		}
		for _, name := range []string{"@team/app:1", "@team/app/nested:1", "@other:1"} {
			r.must("validate", "--remote", name)
		}
		// All goes, and the collector finds an empty registry right.
		for _, name := range []string{"team/app", "team/app/nested", "other"} {
			r.must("delete", "@"+name+"@"+r.must("digest", "@"+name+":1"))
		}
		r.stop(syscall.SIGTERM)
		r.collect()
		r.collect()
		if left := filesBelow(t, section, blobsRoot); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
		// The collector knows a repository by its manifests. What is left of one without is links to its layers, as with
		// Distribution's own s3 driver.
		isLayer := func(file string) bool { return strings.Contains(file, "/_layers/") }
		if left := slices.DeleteFunc(filesBelow(t, section, "/"), isLayer); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
}

func TestAnUploadGoesOnAfterTheRegistryWasKilled(t *testing.T) {
	eachStore(t, func(t *testing.T, section map[string]any) {
		r := newRegistry(t, section)
		content := someBytes(9 << 20)
		parts := [][]byte{content[:3<<20], content[3<<20 : 3<<20+1000], content[3<<20+1000 : 8<<20], content[8<<20:]}
		at := r.expect(http.StatusAccepted, http.MethodPost, "/v2/app/blobs/uploads/", nil).Header.Get("Location")
		sent := 0
		for turn, part := range parts[:3] {
			span := fmt.Sprintf("%d-%d", sent, sent+len(part)-1)
			reply := r.expect(http.StatusAccepted, http.MethodPatch, at, part, "Content-Type", octets, "Content-Range", span)
			sent += len(part)
			if until := reply.Header.Get("Range"); until != fmt.Sprintf("0-%d", sent-1) {
				t.Fatalf("%s after %d bytes", until, sent)
			}
			at = reply.Header.Get("Location")
			r.stop([]syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL}[turn])
			r.start()
			status := r.expect(http.StatusNoContent, http.MethodGet, at, nil)
			if until := status.Header.Get("Range"); until != fmt.Sprintf("0-%d", sent-1) {
				t.Fatalf("%s after %d bytes and a new start", until, sent)
			}
		}
		dgst := digest.FromBytes(content)
		r.expect(http.StatusCreated, http.MethodPut, at+"&digest="+url.QueryEscape(dgst.String()), parts[3], "Content-Type", octets)
		if got := r.follow("/v2/app/blobs/" + dgst.String()); !bytes.Equal(got, content) {
			t.Errorf("%d bytes of another content", len(got))
		}
		if left := filesBelow(t, section, repositoriesRoot+"/app/_uploads"); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
}

// The client goes away in the middle of a chunk: what came is kept, and the upload goes on from there.
func TestAnUploadGoesOnAfterItsClientWasCutOff(t *testing.T) {
	eachStore(t, func(t *testing.T, section map[string]any) {
		r := newRegistry(t, section)
		content := someBytes(2 << 20)
		at := r.expect(http.StatusAccepted, http.MethodPost, "/v2/app/blobs/uploads/", nil).Header.Get("Location")
		place, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		connection, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		half := len(content) / 2
		fmt.Fprintf(connection, "PATCH %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			place.RequestURI(), r.address, octets, len(content))
		if _, err := connection.Write(content[:half]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		_ = connection.Close()
		var status *http.Response
		until := -1
		for end := time.Now().Add(20 * time.Second); until < half-1; time.Sleep(50 * time.Millisecond) {
			status = r.expect(http.StatusNoContent, http.MethodGet, at, nil)
			if _, err := fmt.Sscanf(status.Header.Get("Range"), "0-%d", &until); err != nil {
				t.Fatal(status.Header.Get("Range"), err)
			}
			if time.Now().After(end) {
				t.Fatalf("of %d bytes the registry has %d", half, until+1)
			}
		}
		dgst := digest.FromBytes(content)
		at = status.Header.Get("Location") + "&digest=" + url.QueryEscape(dgst.String())
		r.expect(http.StatusCreated, http.MethodPut, at, content[until+1:], "Content-Type", octets)
		if got := r.follow("/v2/app/blobs/" + dgst.String()); !bytes.Equal(got, content) {
			t.Errorf("%d bytes of another content", len(got))
		}
	})
}

func TestAContentOfAnotherDigestIsNotTaken(t *testing.T) {
	r := newRegistry(t, sectionOfFiles(t))
	at := r.expect(http.StatusAccepted, http.MethodPost, "/v2/app/blobs/uploads/", nil).Header.Get("Location")
	wrong := digest.FromString("another")
	r.expect(http.StatusBadRequest, http.MethodPut, at+"&digest="+url.QueryEscape(wrong.String()), []byte("content"), "Content-Type", octets)
	r.expect(http.StatusNotFound, http.MethodGet, "/v2/app/blobs/"+wrong.String(), nil)
}

// The registry's own purger, on what it left open itself.
func TestUploadsArePurged(t *testing.T) {
	eachStore(t, func(t *testing.T, section map[string]any) {
		r := newRegistry(t, section)
		r.push("app:1", someBytes(1000))
		for _, size := range []int{0, 100_000, 6 << 20} {
			at := r.expect(http.StatusAccepted, http.MethodPost, "/v2/app/blobs/uploads/", nil).Header.Get("Location")
			if size > 0 {
				r.expect(http.StatusAccepted, http.MethodPatch, at, someBytes(size), "Content-Type", octets)
			}
		}
		made := opened(t, section)
		if open := uploadsOf(t, made); open != 3 {
			t.Errorf("%d uploads are open", open)
		}
		purged, failed := storage.PurgeUploads(context.Background(), made, time.Now().Add(-time.Hour), true)
		if len(purged) > 0 || len(failed) > 0 {
			t.Errorf("young uploads: %q, %v", purged, failed)
		}
		purged, failed = storage.PurgeUploads(context.Background(), made, time.Now().Add(time.Second), true)
		if len(purged) != 3 || len(failed) > 0 {
			t.Errorf("%q, %v", purged, failed)
		}
		if open := uploadsOf(t, made); open != 0 {
			t.Errorf("%d uploads are left", open)
		}
		left := filesBelow(t, section, repositoriesRoot+"/app")
		if slices.ContainsFunc(left, func(file string) bool { return strings.Contains(file, "_uploads") }) {
			t.Errorf("%q", left)
		}
		r.must("validate", "--remote", "@app:1")
	})
}

// How many uploads the driver itself has open.
func uploadsOf(t *testing.T, made *Driver) int {
	t.Helper()
	opened, err := made.inner.supervisor.session(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	stream, err := opened.Uploads(context.Background(), &driverpb.UploadsRequest{Below: "/"})
	count := 0
	for err == nil {
		var reply *driverpb.UploadsReply
		reply, err = stream.Recv()
		count += len(reply.GetUploads())
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return count
}

func TestABlobIsRedirectedToTheStore(t *testing.T) {
	section := sectionOnCeph(t)
	r := newRegistry(t, section)
	content := someBytes(100_000)
	r.push("app:1", content)
	layer := r.must("manifest", "@app:1")
	_, layer, _ = strings.Cut(layer[strings.Index(layer, `"layers"`):], `"digest":"`)
	layer, _, _ = strings.Cut(layer, `"`)
	at := "/v2/app/blobs/" + layer
	reply := r.expect(http.StatusTemporaryRedirect, http.MethodGet, at, nil)
	target := reply.Header.Get("Location")
	if !strings.HasPrefix(target, section["regionendpoint"].(string)) || !strings.Contains(target, path.Base(blobsRoot)) ||
		!strings.Contains(target, "X-Amz-Expires=1200") || strings.Contains(target, section["secretkey"].(string)) {
		t.Error(target)
	}
	stored, err := http.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Body.Close()
	got, err := io.ReadAll(stored.Body)
	if err != nil || stored.StatusCode != http.StatusOK || digest.FromBytes(got).String() != layer {
		t.Errorf("%s, %d bytes: %v", stored.Status, len(got), err)
	}
	// Only for the method that was asked for.
	head := r.expect(http.StatusTemporaryRedirect, http.MethodHead, at, nil)
	checked, err := http.Head(head.Header.Get("Location"))
	if err != nil || checked.StatusCode != http.StatusOK || checked.ContentLength != int64(len(got)) {
		t.Errorf("%v: %v", checked, err)
	}
}

// A driver that was killed is started again by the registry.
func TestTheRegistryOutlivesItsDriver(t *testing.T) {
	r := newRegistry(t, sectionOfFiles(t))
	r.push("app:1", someBytes(1000))
	for range 3 {
		for _, pid := range r.drivers() {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			awaitEnd(t, pid)
		}
		r.must("validate", "--remote", "@app:1")
	}
}
