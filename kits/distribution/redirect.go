package distribution

import (
	"net"
	"net/http"
	"strings"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
)

// How long a URL is valid: as those of Distribution's own drivers are.
const urlExpiry = 20 * time.Minute

// Headers of the client's that are no driver's business: they are the client's credentials at the registry.
var privateHeaders = map[string]bool{"authorization": true, "proxy-authorization": true, "cookie": true}

// RedirectURL gives a URL at which the client of the request can do it itself, or an empty string.
func (d *driver) RedirectURL(r *http.Request, path string) (string, error) {
	ctx, cancel := d.bounded(r.Context())
	defer cancel()
	opened, err := d.session(ctx, path)
	if err != nil {
		return "", err
	}
	if !opened.can(redirectCapability) {
		return "", nil
	}
	reply, err := opened.RedirectUrl(ctx, &driverpb.RedirectUrlRequest{
		Path:          path,
		Method:        r.Method,
		Headers:       headersOf(r),
		ClientAddress: clientAddress(r),
		Expiry:        durationpb.New(urlExpiry),
	})
	failed := d.failure(err, path)
	if _, is := failed.(storagedriver.ErrUnsupportedMethod); is {
		return "", nil
	}
	return reply.GetUrl(), failed
}

func headersOf(r *http.Request) []*driverpb.Header {
	var headers []*driverpb.Header
	add := func(name, value string) {
		// A message holds text only.
		headers = append(headers, &driverpb.Header{Name: name, Value: strings.ToValidUTF8(value, "\uFFFD")})
	}
	if r.Host != "" {
		add("host", r.Host)
	}
	for name, values := range r.Header {
		name = strings.ToLower(name)
		if privateHeaders[name] {
			continue
		}
		for _, value := range values {
			add(name, value)
		}
	}
	return headers
}

// The client's IP address, by the rules that the registry has for its own log: what proxies say comes first.
func clientAddress(r *http.Request) string {
	forwarded, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	for _, said := range []string{forwarded, r.Header.Get("X-Real-Ip")} {
		if address := net.ParseIP(strings.TrimSpace(said)); address != nil {
			return address.String()
		}
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
