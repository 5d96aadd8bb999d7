package distribution

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// The parameters that are the host's. The others are the driver's.
const (
	driverParameter       = "driver"
	pathParameter         = "path"
	socketParameter       = "socket"
	startTimeoutParameter = "starttimeout"
	timeoutParameter      = "timeout"
	parametersParameter   = "parameters"
)

const (
	defaultStartTimeout  = 30 * time.Second
	shortestStartTimeout = time.Second
	longestStartTimeout  = time.Hour
	longestTimeout       = 24 * time.Hour
)

var driverName = regexp.MustCompile(`^[a-z0-9-]+$`)

// What a storage section says.
type settings struct {
	// Of the driver; empty only with a path or a socket: any driver there will do.
	driver string
	// Of the executable; empty: it is searched for.
	path string
	// Of a server that runs; empty: one is started.
	socket string
	// How long a start may take until the driver is open.
	startTimeout time.Duration
	// How long a call may take that does not stream; zero: for ever.
	timeout time.Duration
	// The driver's own.
	parameters map[string]any
}

// Reads a storage section. No error holds the value of a parameter of the driver's.
func parseSettings(section map[string]any) (settings, error) {
	s := settings{startTimeout: defaultStartTimeout, parameters: map[string]any{}}
	texts := map[string]*string{driverParameter: &s.driver, pathParameter: &s.path, socketParameter: &s.socket}
	spans := map[string]*time.Duration{startTimeoutParameter: &s.startTimeout, timeoutParameter: &s.timeout}
	var nested map[string]any
	for name, value := range section {
		var err error
		if text := texts[name]; text != nil {
			err = parseText(value, text)
		} else if span := spans[name]; span != nil {
			err = parseSpan(value, span)
		} else if name == parametersParameter {
			nested, err = parseMap(value)
		} else {
			s.parameters[name] = value
		}
		if err != nil {
			return s, protocol.BadParameter(name, err.Error())
		}
	}
	if nested != nil {
		for name := range s.parameters {
			return s, protocol.BadParameter(name, "stands beside `parameters`, where all parameters of the driver have to be then")
		}
		s.parameters = nested
	}
	return s, s.check()
}

func (s settings) check() error {
	switch {
	case s.startTimeout < shortestStartTimeout || s.startTimeout > longestStartTimeout:
		return protocol.BadParameter(startTimeoutParameter, "must be from 1s to 1h")
	case s.timeout < 0 || s.timeout > longestTimeout:
		return protocol.BadParameter(timeoutParameter, "must be from 0s to 24h")
	case s.driver == "" && s.path == "" && s.socket == "":
		return protocol.BadParameter(driverParameter, "is missing: it names the driver, as in `driver: filesystem`")
	case s.driver != "" && !driverName.MatchString(s.driver):
		return protocol.BadParameter(driverParameter, "is no name of a driver: those are of a-z, 0-9 and `-`")
	case s.path != "" && s.socket != "":
		return protocol.BadParameter(pathParameter, "says what to start, and `socket` what runs already; leave one out")
	}
	if s.socket == "" {
		return nil
	}
	for name := range s.parameters {
		return protocol.BadParameter(name, "would have no effect: the server at `socket` was opened with parameters of its own")
	}
	return nil
}

func parseText(value any, text *string) error {
	known, ok := value.(string)
	if !ok {
		return fmt.Errorf("must be text, not %T", value)
	}
	*text = known
	return nil
}

// Reads a duration as Go writes it; a number without a unit can only be 0.
func parseSpan(value any, span *time.Duration) error {
	switch known := value.(type) {
	case time.Duration:
		*span = known
	case int:
		if known != 0 {
			return errors.New("has no unit: write it as `30s`")
		}
		*span = 0
	case string:
		parsed, err := time.ParseDuration(strings.TrimSpace(known))
		if err != nil {
			return errors.New("is no duration such as `30s` or `2m`")
		}
		*span = parsed
	default:
		return fmt.Errorf("must be a duration such as `30s`, not %T", value)
	}
	return nil
}

func parseMap(value any) (map[string]any, error) {
	switch known := value.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return known, nil
	case map[any]any:
		parsed := make(map[string]any, len(known))
		for name, value := range known {
			text, ok := name.(string)
			if !ok {
				return nil, errors.New("has a name that is no text")
			}
			parsed[text] = value
		}
		return parsed, nil
	}
	return nil, fmt.Errorf("must be a map of the driver's parameters, not %T", value)
}
