package distribution

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

const (
	// What the driver is told about its host, for messages.
	program = "storagedriver-distribution 0.1.0"
	// The capability of RedirectUrl.
	redirectCapability = "redirect"

	// How often a connection that is silent is asked for a sign of life, and how long that may take.
	pingInterval = 10 * time.Second
	pingTimeout  = 20 * time.Second
	// The most bytes of headers that are taken: those of an error with all its details.
	headerSize = 64 << 10
	// The first and the longest pause between two attempts to connect.
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond
)

// A driver that is open: the connection to it, and its process if it was started here.
type session struct {
	driverpb.StorageDriverClient
	connection *grpc.ClientConn
	process    *process
	// The driver's own name.
	name         string
	capabilities []string
	opened       time.Time
	// Set by every reply.
	replied atomic.Bool
	// Closed when the session can take no more calls.
	ended chan struct{}
	once  sync.Once
}

// Starts the driver, or connects to the server that runs already, and opens it. All within the context's time.
func openSession(ctx context.Context, s settings) (*session, error) {
	if s.socket != "" {
		connection, err := dial(ctx, s.socket, nil)
		if err != nil {
			return nil, fmt.Errorf("nothing serves at %s: %w", s.socket, err)
		}
		return negotiated(ctx, s, connection, nil)
	}
	executable, err := findExecutable(s.driver, s.path)
	if err != nil {
		return nil, err
	}
	directory, err := makeSocketDirectory()
	if err != nil {
		return nil, err
	}
	// Once there is a connection nobody needs the socket: removed now, it cannot be left over, however the registry ends.
	defer os.RemoveAll(directory)
	hidden := secretsOf(s.parameters)
	name := cmp.Or(s.driver, strings.TrimPrefix(filepath.Base(executable), executablePrefix))
	started, err := startProcess(name, executable, socketIn(directory), hidden)
	if err != nil {
		return nil, err
	}
	connection, err := dial(ctx, socketIn(directory), started.ended)
	if err != nil {
		started.end()
		return nil, fmt.Errorf("the driver %s did not come up: %w: %s", executable, err, started.epitaph())
	}
	opened, err := negotiated(ctx, s, connection, started)
	return opened, hidden.hideIn(err)
}

var errEnded = errors.New("its process ended")

// Connects to the socket, as soon as somebody listens on it if a process was started for that.
func dial(ctx context.Context, socket string, ended <-chan struct{}) (net.Conn, error) {
	var dialer net.Dialer
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		connection, err := dialer.DialContext(ctx, "unix", socket)
		if err == nil || ended == nil {
			return connection, err
		}
		select {
		case <-ended:
			return nil, errEnded
		case <-ctx.Done():
			return nil, fmt.Errorf("nothing took a connection in time: %w", err)
		case <-time.After(pause):
		}
	}
}

// Makes a session of a connection to a driver that has said nothing yet.
func negotiated(ctx context.Context, s settings, connection net.Conn, started *process) (*session, error) {
	opened := &session{process: started, name: s.driver, ended: make(chan struct{})}
	client, err := newClient(connection, &opened.replied)
	if err != nil {
		err = errors.Join(err, connection.Close())
	} else {
		opened.connection, opened.StorageDriverClient = client, driverpb.NewStorageDriverClient(client)
		err = opened.open(ctx, s)
	}
	if err != nil {
		if died := opened.close(); died != "" {
			err = fmt.Errorf("%w; the process of the driver: %s", err, died)
		}
		return nil, err
	}
	opened.opened = time.Now()
	opened.replied.Store(false)
	go opened.watch()
	return opened, nil
}

func newClient(connection net.Conn, replied *atomic.Bool) (*grpc.ClientConn, error) {
	var once sync.Once
	return grpc.NewClient("passthrough:///driver",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// A connection that broke is not made again: its driver is taken for dead.
		grpc.WithContextDialer(func(context.Context, string) (made net.Conn, err error) {
			err = errors.New("the connection to the driver is gone")
			once.Do(func() { made, err = connection, nil })
			return made, err
		}),
		grpc.WithIdleTimeout(0),
		grpc.WithStatsHandler(replies{replied}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: pingInterval, Timeout: pingTimeout, PermitWithoutStream: true,
		}),
		grpc.WithInitialWindowSize(protocol.StreamWindow),
		grpc.WithInitialConnWindowSize(protocol.ConnectionWindow),
		grpc.WithMaxHeaderListSize(headerSize),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(2*protocol.MessageSize)),
	)
}

// Notes that the driver replies.
type replies struct{ seen *atomic.Bool }

func (r replies) HandleRPC(_ context.Context, event stats.RPCStats) {
	if _, is := event.(*stats.InPayload); is {
		r.seen.Store(true)
	}
}

func (replies) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (replies) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (replies) HandleConn(context.Context, stats.ConnStats)                       {}

func (s *session) open(ctx context.Context, given settings) error {
	reply, err := s.Negotiate(ctx, &driverpb.NegotiateRequest{
		MinVersion: protocol.MinVersion, MaxVersion: protocol.MaxVersion, Program: program,
	})
	if err != nil {
		return s.notSpoken(ctx, err)
	}
	if version := reply.GetVersion(); version < protocol.MinVersion || version > protocol.MaxVersion {
		return fmt.Errorf("the driver %s (%s) speaks the versions %d to %d of the protocol, and this registry %d to %d: update the older of the two",
			s.name, reply.GetProgram(), reply.GetMinVersion(), reply.GetMaxVersion(), protocol.MinVersion, protocol.MaxVersion)
	}
	s.capabilities = reply.GetCapabilities()
	if given.driver != "" && reply.GetDriver() != given.driver {
		return fmt.Errorf("the driver there is called %q, and the parameter `driver` says %q", reply.GetDriver(), given.driver)
	}
	s.name = reply.GetDriver()
	parameters, err := protocol.Values(given.parameters)
	if err != nil {
		return err
	}
	request := &driverpb.OpenRequest{Driver: s.name}
	if given.socket == "" {
		request.Parameters = parameters
	}
	if _, err := s.Open(ctx, request); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("the driver %s was not open in time; `starttimeout` says how long it has", s.name)
		}
		return protocol.FromStatus(err, "")
	}
	return nil
}

// Why the first call failed, in words that help.
func (s *session) notSpoken(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("the driver %s took the connection and did not answer in time; `starttimeout` says how long it has", s.name)
	case status.Code(err) == codes.Unimplemented:
		return fmt.Errorf("the driver %s does not speak the protocol storagedriver.v1: %w", s.name, err)
	}
	return fmt.Errorf("the driver %s cannot be talked to: %w", s.name, err)
}

func (s *session) can(capability string) bool {
	return slices.Contains(s.capabilities, capability)
}

// Ends the session when the connection breaks or the process ends.
func (s *session) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.process != nil {
		go func() {
			select {
			case <-s.process.ended:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	for state := s.connection.GetState(); state == connectivity.Ready; state = s.connection.GetState() {
		if !s.connection.WaitForStateChange(ctx, state) {
			break
		}
	}
	s.close()
}

// Whether calls can be made.
func (s *session) isAlive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return s.connection.GetState() == connectivity.Ready
	}
}

// Whether a call was answered.
func (s *session) hasWorked() bool {
	return s.replied.Load()
}

// Why the session ended. It is ended, if it is not yet.
func (s *session) why() string {
	if died := s.close(); died != "" {
		return died
	}
	return "the connection broke"
}

// Ends the session and the driver's process, if it was started here; how that ended. Returns when it is gone.
func (s *session) close() string {
	s.once.Do(func() {
		close(s.ended)
		if s.connection != nil {
			_ = s.connection.Close()
		}
		if s.process != nil {
			s.process.end()
		}
	})
	if s.process == nil {
		return ""
	}
	<-s.process.ended
	return s.process.epitaph()
}
