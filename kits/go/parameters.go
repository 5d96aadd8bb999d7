package storagedriver

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// Parameters are what a driver is opened with: values are nil, bool, int64, float64, string, []any and map[string]any. A nil value is the
// same as none. Printing them shows their number only: they may be secrets.
type Parameters map[string]any

// Format keeps the values out of every text.
func (p Parameters) Format(state fmt.State, verb rune) {
	_, _ = io.WriteString(state, p.String())
}

// String gives the number of the parameters.
func (p Parameters) String() string {
	return fmt.Sprintf("%d parameters", len(p))
}

// Text gives a text, or the alternative if the parameter is not there. A number or a switch is taken as its text.
func (p Parameters) Text(name, alternative string) (string, error) {
	switch value := p[name].(type) {
	case nil:
		return alternative, nil
	case string:
		return value, nil
	case bool, int64, float64:
		return fmt.Sprint(value), nil
	}
	return "", protocol.BadParameter(name, "has to be a text")
}

// RequiredText gives a text that has to be there and not be empty.
func (p Parameters) RequiredText(name string) (string, error) {
	value, err := p.Text(name, "")
	if err == nil && value == "" {
		return "", protocol.BadParameter(name, "is missing")
	}
	return value, err
}

// Integer gives a whole number, or the alternative if the parameter is not there. A text is read as one.
func (p Parameters) Integer(name string, alternative int64) (int64, error) {
	switch value := p[name].(type) {
	case nil:
		return alternative, nil
	case int64:
		return value, nil
	case string:
		if number, err := strconv.ParseInt(value, 10, 64); err == nil {
			return number, nil
		}
	}
	return 0, protocol.BadParameter(name, "has to be a whole number")
}

// Switch gives true or false, or the alternative if the parameter is not there. A text is read as one.
func (p Parameters) Switch(name string, alternative bool) (bool, error) {
	switch value := p[name].(type) {
	case nil:
		return alternative, nil
	case bool:
		return value, nil
	case string:
		if state, err := strconv.ParseBool(value); err == nil {
			return state, nil
		}
	}
	return false, protocol.BadParameter(name, "has to be true or false")
}

// Only refuses every parameter with another name, so that none that is misspelt is passed over.
func (p Parameters) Only(known ...string) error {
	var unknown []string
	for name := range p {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return protocol.BadParameter(unknown[0], "is not known; there are "+strings.Join(known, ", "))
}
