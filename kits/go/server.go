package storagedriver

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// Factory makes a driver from its parameters. The context is that of the call; the driver lives on after it.
type Factory[D Driver] func(ctx context.Context, parameters Parameters) (D, error)

// Server answers the protocol for one driver. Serve makes one and is all that most drivers need; a Server by itself is for
// tests, and for programs that have a main of their own.
type Server struct {
	service *service
	server  *grpc.Server
}

// NewServer makes a server for a driver of this name and version.
func NewServer[D Driver](name, version string, factory Factory[D]) *Server {
	service := &service{
		name:         name,
		program:      fmt.Sprintf("registry-storage-%s %s", name, version),
		capabilities: capabilities[D](),
		factory: func(ctx context.Context, parameters Parameters) (Driver, error) {
			return factory(ctx, parameters)
		},
	}
	server := grpc.NewServer(
		grpc.InitialWindowSize(protocol.StreamWindow),
		grpc.InitialConnWindowSize(protocol.ConnectionWindow),
		// Each upload that is open holds a stream; the host is trusted with their number.
		grpc.MaxConcurrentStreams(1<<20),
		// A host may ping as often as it likes, also while nothing is called. Left to itself gRPC ends the connection then.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Nanosecond, PermitWithoutStream: true}),
		grpc.WriteBufferSize(256<<10),
		grpc.ReadBufferSize(256<<10),
		grpc.WaitForHandlers(true),
	)
	driverpb.RegisterStorageDriverServer(server, service)
	return &Server{service, server}
}

// What drivers of this type can do beyond the least. A type that is an interface does not tell, and the calls then say that
// there is nothing.
func capabilities[D Driver]() []string {
	var driver D
	_, isRedirector := any(driver).(Redirector)
	_, isExaminer := any(driver).(Examiner)
	var names []string
	if isRedirector || any(driver) == nil {
		names = append(names, "redirect")
	}
	if isExaminer || any(driver) == nil {
		names = append(names, "examine")
	}
	return names
}

// Open makes the driver, as the host's call would.
func (s *Server) Open(ctx context.Context, parameters Parameters) error {
	_, err := s.service.open(ctx, parameters)
	return err
}

// Serve answers on the listener until Stop, and closes it.
func (s *Server) Serve(listener net.Listener) error {
	return s.server.Serve(listener)
}

// Stop ends all calls, waits until their writers are dropped, and closes the driver if it is an io.Closer.
func (s *Server) Stop() {
	s.server.Stop()
	s.service.close()
}

// The service: what is common to its calls.
type service struct {
	driverpb.UnimplementedStorageDriverServer
	name         string
	program      string
	capabilities []string
	factory      func(context.Context, Parameters) (Driver, error)
	uploads      openUploads

	mutex sync.RWMutex
	// Nil until it is opened.
	driver     Driver
	guarantees Guarantees
	opened     *driverpb.OpenReply
}

func (s *service) Negotiate(_ context.Context, request *driverpb.NegotiateRequest) (*driverpb.NegotiateReply, error) {
	reply := &driverpb.NegotiateReply{
		MinVersion:   protocol.MinVersion,
		MaxVersion:   protocol.MaxVersion,
		Program:      s.program,
		Capabilities: s.capabilities,
		Driver:       s.name,
	}
	highest := min(request.GetMaxVersion(), protocol.MaxVersion)
	if highest >= max(request.GetMinVersion(), protocol.MinVersion) {
		reply.Version = highest
	}
	return reply, nil
}

func (s *service) Open(ctx context.Context, request *driverpb.OpenRequest) (reply *driverpb.OpenReply, err error) {
	err = s.guarded("", func() error {
		reply, err = s.open(ctx, protocol.FromValues(request.GetParameters()))
		return err
	})
	return reply, err
}

func (s *service) open(ctx context.Context, parameters Parameters) (*driverpb.OpenReply, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.opened != nil {
		if len(parameters) > 0 {
			return nil, protocol.Errorf(InvalidConfiguration, "", "the driver is open already: connect to it without parameters, or start another")
		}
		return s.opened, nil
	}
	driver, err := s.factory(ctx, parameters)
	if err != nil {
		return nil, err
	}
	s.driver, s.guarantees = driver, driver.Guarantees()
	s.opened = &driverpb.OpenReply{
		PathLimit:      uint32(max(s.guarantees.PathLimit, 0)),
		ComponentLimit: uint32(max(s.guarantees.ComponentLimit, 0)),
	}
	for _, guarantee := range s.guarantees.Lacking {
		s.opened.Lacking = append(s.opened.Lacking, string(guarantee))
	}
	if prefixer, ok := driver.(KeyPrefixer); ok {
		prefix := prefixer.KeyPrefix()
		s.opened.KeyPrefix = &prefix
	}
	return s.opened, nil
}

func (s *service) close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if closer, ok := s.driver.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			log.Printf("closing the driver: %v", err)
		}
	}
	s.driver, s.opened = nil, nil
}

// Whether the root is a path for a call.
type rootIs bool

const (
	allowed rootIs = true
	refused rootIs = false
)

// The driver, for a call on paths.
func (s *service) on(ctx context.Context, root rootIs, paths ...string) (Driver, error) {
	s.uploads.settle(ctx)
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	if s.driver == nil {
		return nil, protocol.Errorf(InvalidConfiguration, "", "the driver is not open: the host has to call Open first")
	}
	for _, path := range paths {
		if err := protocol.CheckPath(path); err != nil {
			return nil, err
		}
		if path == "/" && !bool(root) {
			return nil, protocol.Errorf(InvalidPath, path, "the root is a path for stat, list, walk and uploads only")
		}
		if err := protocol.CheckLimits(path, s.guarantees.PathLimit, s.guarantees.ComponentLimit); err != nil {
			return nil, err
		}
	}
	return s.driver, nil
}

// Runs a call, and gives its error as the status that it ends with. A panic is an error too.
func (s *service) guarded(path string, call func() error) error {
	err := caught(call)
	if err == nil {
		return nil
	}
	known := *protocol.AsError(err)
	if known.Path == "" {
		known.Path = path
	}
	return protocol.ToStatus(&known)
}

// Runs something of the driver's, and turns a panic into an error. What the panic says stays on standard error: nobody has
// looked whether it holds a secret.
func caught(call func() error) (err error) {
	defer func() {
		if what := recover(); what != nil {
			log.Printf("panic: %v\n%s", what, debug.Stack())
			err = protocol.Errorf(Backend, "", "the driver stopped by a panic; its standard error says where")
		}
	}()
	return call()
}
