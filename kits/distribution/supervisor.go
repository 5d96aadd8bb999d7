package distribution

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

const (
	// The pause before the second attempt to start a driver that does not live; each further one is twice as long.
	firstBackOff   = 100 * time.Millisecond
	longestBackOff = 10 * time.Second
	// A driver that lived so long is started again at once.
	longLife = 10 * time.Second
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
	// How often in a row it died young or did not start, and when it was started last.
	failures int
	started  time.Time
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
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	if s.current != nil && s.current.isAlive() {
		defer s.mu.Unlock()
		return s.current, nil
	}
	if s.attempt == nil {
		s.attempt = &attempt{done: make(chan struct{})}
		go s.start(s.attempt, s.current)
	}
	under := s.attempt
	s.mu.Unlock()
	select {
	case <-under.done:
		return under.session, under.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Starts the driver, whoever waits for it: a caller that goes away does not stop it.
func (s *supervisor) start(under *attempt, dead *session) {
	if dead != nil {
		s.lament(dead)
	}
	time.Sleep(s.backOff(dead != nil))
	ctx, cancel := context.WithTimeout(context.Background(), s.settings.startTimeout)
	defer cancel()
	opened, err := s.open(ctx, s.settings)

	s.mu.Lock()
	if err == nil && s.closed {
		err = errClosed
		go opened.close()
	}
	s.attempt, s.current, under.err = nil, nil, err
	if err == nil {
		s.current, under.session = opened, opened
	} else {
		s.failures++
	}
	s.mu.Unlock()
	close(under.done)
}

func (s *supervisor) lament(dead *session) {
	epitaph := dead.close()
	log := logrus.WithField("storagedriver", dead.name)
	if dead.process == nil {
		log.Warnf("the connection to the storage driver broke; connecting again")
		return
	}
	log.Errorf("the process of the storage driver ended (%s); starting it again", epitaph)
}

// How long to wait before the next start; called before each.
func (s *supervisor) backOff(died bool) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	lived := now.Sub(s.started)
	s.started = now
	if died {
		if lived >= longLife {
			s.failures = 0
			return 0
		}
		s.failures++
	}
	// The first death after a good start costs no wait: a process may be killed by anyone.
	if s.failures <= 1 {
		return 0
	}
	pause := min(firstBackOff<<min(s.failures-2, 16), longestBackOff)
	s.started = now.Add(pause)
	return pause
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
