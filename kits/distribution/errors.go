package distribution

import (
	"math"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/sirupsen/logrus"

	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// The error of a call on a path as Distribution knows it. What it knows no type for stays as it is: whoever hands it on stamps
// it with the name of the driver.
func (d *driver) failure(err error, path string) error {
	if err == nil {
		return nil
	}
	known := protocol.AsError(protocol.FromStatus(err, path))
	if known.Path != "" {
		path = known.Path
	}
	switch known.Kind {
	case protocol.PathNotFound:
		return storagedriver.PathNotFoundError{Path: path, DriverName: d.name}
	case protocol.InvalidPath:
		return storagedriver.InvalidPathError{Path: path, DriverName: d.name}
	case protocol.InvalidOffset:
		offset := int64(min(known.Offset, math.MaxInt64))
		return storagedriver.InvalidOffsetError{Path: path, Offset: offset, DriverName: d.name}
	case protocol.Unsupported:
		// Distribution's type has no room for the reason.
		logrus.WithField("storagedriver", d.name).Warn(known.Error())
		return storagedriver.ErrUnsupportedMethod{DriverName: d.name}
	}
	detail := *known
	if detail.Driver == d.name {
		// Who stamps it says that.
		detail.Driver = ""
	}
	return &detail
}

// The same, stamped: for readers and writers, whose errors nobody stamps.
func (d *driver) stamped(err error, path string) error {
	failed := d.failure(err, path)
	if detail, ok := failed.(*protocol.Error); ok {
		return storagedriver.Error{DriverName: d.name, Detail: detail}
	}
	return failed
}

// An error of this side: what the driver sent contradicts itself.
func corrupted(path, format string, arguments ...any) error {
	return protocol.Errorf(protocol.Corrupted, path, format, arguments...)
}
