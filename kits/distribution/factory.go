package distribution

import (
	"context"
	"fmt"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/base"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
)

// Name is the name that the package registers in Distribution's factory.
const Name = "external"

func init() {
	factory.Register(Name, driverFactory{})
}

type driverFactory struct{}

func (driverFactory) Create(ctx context.Context, parameters map[string]any) (storagedriver.StorageDriver, error) {
	// Not New's result itself: a nil pointer in an interface is not nil.
	made, err := New(ctx, parameters)
	if err != nil {
		return nil, err
	}
	return made, nil
}

// Driver is a storage driver in a process of its own. It may be used by any number of goroutines.
//
// It checks paths, stamps errors, measures and traces as every driver of Distribution does.
type Driver struct {
	base.Base
	inner *driver
}

// New starts the driver that the section of the configuration names, and opens it. The parameters are those of the
// section: `driver`, `path`, `socket`, `starttimeout`, `timeout` and `parameters` are taken, the others are the driver's own;
// docs/distribution-module.md has them all.
//
// It fails when the section says nothing usable, when there is no such executable, and when the driver does not open with
// these parameters. No error holds the value of a parameter that may be a secret.
func New(ctx context.Context, parameters map[string]any) (*Driver, error) {
	parsed, err := parseSettings(parameters)
	if err != nil {
		return nil, fmt.Errorf("storage driver %q: %w", Name, err)
	}
	inner := &driver{supervisor: newSupervisor(parsed), timeout: parsed.timeout}
	opened, err := inner.supervisor.session(ctx)
	if err != nil {
		inner.supervisor.close()
		return nil, fmt.Errorf("storage driver %q: %w", Name, err)
	}
	inner.name = opened.name
	return &Driver{Base: base.Base{StorageDriver: inner}, inner: inner}, nil
}

// Close ends the driver's process and returns when it is gone; a server that was not started here goes on. Calls in flight fail, and
// so does every later one.
//
// A registry does not need it: the process ends with the registry, however that ends.
func (d *Driver) Close() error {
	d.inner.supervisor.close()
	return nil
}
