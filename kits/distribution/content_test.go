package distribution

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

func TestErrorsAreThoseOfDistribution(t *testing.T) {
	made, _ := newFake(t, "good")
	ctx := context.Background()
	if _, err := made.Stat(ctx, "/a"); err != (storagedriver.PathNotFoundError{Path: "/a", DriverName: "fake"}) {
		t.Errorf("%#v", err)
	}
	if _, err := made.GetContent(ctx, "/a"); err == nil || !strings.HasPrefix(err.Error(), "fake: /a: the driver's process: Unknown: a plain error") {
		t.Error(err)
	}
	if _, err := made.GetContent(ctx, "a"); err != (storagedriver.InvalidPathError{Path: "a", DriverName: "fake"}) {
		t.Errorf("%#v", err)
	}
	if err := made.Move(ctx, "/a", "/b"); err != (storagedriver.ErrUnsupportedMethod{DriverName: "fake"}) {
		t.Errorf("%#v", err)
	}
	if _, err := made.Reader(ctx, "/a", -1); err != (storagedriver.InvalidOffsetError{Path: "/a", Offset: -1, DriverName: "fake"}) {
		t.Errorf("%#v", err)
	}
}

func TestContentThatEndsEarlyIsAnError(t *testing.T) {
	made, _ := newFake(t, "good")
	if _, err := made.GetContent(context.Background(), "/short"); err == nil || !strings.Contains(err.Error(), "7 bytes of a content of 10") {
		t.Error(err)
	}
	reader, err := made.Reader(context.Background(), "/a", 0)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if _, is := err.(storagedriver.Error); string(text) != "too few" || !is || !strings.Contains(err.Error(), "3 bytes early") {
		t.Errorf("%q: %v", text, err)
	}
	// More than is left is no content either.
	if reader, err = made.Reader(context.Background(), "/a", 5); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(reader); len(text) > 0 || err == nil || !strings.Contains(err.Error(), "more than the content has") {
		t.Errorf("%q: %v", text, err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}

func TestPastTheEndThereIsNothing(t *testing.T) {
	made, _ := newFake(t, "good")
	reader, err := made.Reader(context.Background(), "/a", 11)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(reader); len(text) > 0 || err != nil {
		t.Errorf("%q: %v", text, err)
	}
}

func TestARedirectIsAskedForWithTheClientsRequest(t *testing.T) {
	made, fake := newFake(t, "good")
	request := httptest.NewRequest("GET", "http://registry.example/v2/a", nil)
	request.RemoteAddr = "192.0.2.1:999"
	request.Header.Set("User-Agent", "crane")
	request.Header.Set("Authorization", "Bearer "+fakeSecret)
	request.Header.Set("Cookie", fakeSecret)
	if url, err := made.RedirectURL(request, "/a"); err != nil || url != "https://storage.example/a" {
		t.Errorf("%s: %v", url, err)
	}
	request.Header.Set("X-Real-Ip", "192.0.2.3")
	if url, err := made.RedirectURL(request, "/a"); err != nil || url == "" {
		t.Errorf("%s: %v", url, err)
	}
	request.Header.Set("X-Forwarded-For", "192.0.2.2, 10.0.0.1")
	if url, err := made.RedirectURL(request, "/a"); err != nil || url == "" {
		t.Errorf("%s: %v", url, err)
	}
	// What the driver cannot redirect, the registry serves.
	request.Method = "HEAD"
	if url, err := made.RedirectURL(request, "/a"); err != nil || url != "" {
		t.Errorf("%s: %v", url, err)
	}
	for at, address := range []string{"192.0.2.1", "192.0.2.3", "192.0.2.2", "192.0.2.2"} {
		if asked := fake.redirects[at].GetClientAddress(); asked != address {
			t.Errorf("request %d came from %s", at, asked)
		}
	}
	asked := fake.redirects[0]
	if asked.GetExpiry().AsDuration() != urlExpiry || asked.GetMethod() != "GET" {
		t.Error(asked)
	}
	headers := map[string]string{}
	for _, header := range asked.GetHeaders() {
		headers[header.GetName()] = header.GetValue()
	}
	if len(headers) != 2 || headers["user-agent"] != "crane" || headers["host"] != "registry.example" {
		t.Error(headers)
	}
}
