package distribution

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

const (
	// The pause before a driver that died is started again; each further one in a row is twice as long.
	firstBackOff   = 100 * time.Millisecond
	longestBackOff = 30 * time.Second
	// A driver that answered calls, or lived so long, did not die in a row.
	longLife = time.Minute
	// A call waits for a start that is due within this time; it fails if it is due later.
	patience = time.Second
)

var errClosed = errors.New("the storage was closed")

// Keeps a driver open: starts it again when it is needed and gone.
type supervisor struct {
	settings settings
	// Replaced in tests.
	open func(context.Context, settings) (*session, error)

	mu      sync.Mutex
	current *session
	// The attempt that is under way.
	attempt *attempt
	// How often in a row it died young or did not start, when it may be started again, and what happened last.
	failures int
	next     time.Time
	cause    string
	closed   bool
}

type attempt struct {
	done    chan struct{}
	session *session
	err     error
}

func newSupervisor(s settings) *supervisor {
	return &supervisor{settings: s, open: openSession}
}

// A session that is alive, as far as can be known; started now if there is none.
func (s *supervisor) session(ctx context.Context) (*session, error) {
	current, under, err := s.alive()
	if current != nil || err != nil {
		return current, err
	}
	select {
	case <-under.done:
		return under.session, under.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// The session, or an attempt to start one.
func (s *supervisor) alive() (*session, *attempt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, errClosed
	}
	if s.attempt != nil {
		return nil, s.attempt, nil
	}
	if s.current != nil {
		if s.current.isAlive() {
			return s.current, nil, nil
		}
		s.bury()
	}
	wait := time.Until(s.next)
	if wait > patience {
		return nil, nil, fmt.Errorf("the driver failed %d times in quick succession, last: %s; it is started again in %s",
			s.failures, s.cause, wait.Round(100*time.Millisecond))
	}
	s.attempt = &attempt{done: make(chan struct{})}
	go s.start(s.attempt, wait)
	return nil, s.attempt, nil
}

// Notes that the session is dead; s.mu is held.
func (s *supervisor) bury() {
	dead := s.current
	s.current = nil
	if dead.hasWorked() || time.Since(dead.opened) >= longLife {
		s.failures = 0
	}
	s.failed(dead.why())
	log := logrus.WithField("storagedriver", dead.name)
	log.Errorf("the storage driver is gone, and is started again: %s", s.cause)
}

func (s *supervisor) failed(cause string) {
	s.next = time.Now().Add(min(firstBackOff<<min(s.failures, 16), longestBackOff))
	s.failures++
	s.cause = cause
}

// Starts the driver, whoever waits for it: a caller that goes away does not stop it.
func (s *supervisor) start(under *attempt, wait time.Duration) {
	time.Sleep(wait)
	ctx, cancel := context.WithTimeout(context.Background(), s.settings.startTimeout)
	defer cancel()
	opened, err := s.open(ctx, s.settings)

	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.closed {
		err = errClosed
		opened.close()
	}
	s.attempt, under.err = nil, err
	if err == nil {
		s.current, under.session = opened, opened
	} else {
		s.failed(err.Error())
	}
	close(under.done)
}

// Ends the driver. Calls fail from then on.
func (s *supervisor) close() {
	s.mu.Lock()
	s.closed = true
	current, under := s.current, s.attempt
	s.current = nil
	s.mu.Unlock()
	if current != nil {
		current.close()
	}
	if under != nil {
		<-under.done
	}
}

// The error of a call that could not be made.
func unavailable(err error, path string) error {
	var known *protocol.Error
	if errors.As(err, &known) {
		return known
	}
	return &protocol.Error{Kind: protocol.Unavailable, Path: path, Reason: err.Error(), Cause: nil}
}
