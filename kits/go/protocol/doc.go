// Package protocol holds what both ends of the protocol of storage drivers out of process share beside the messages:
// errors and how they stand in a gRPC status, parameters, entries, paths and the places in a walk, and the limits.
//
// The author of a driver needs the package above this one, which gives these names too. A client needs this one and
// driverpb. The protocol itself is described in docs/out-of-process.md and driver.proto of this repository.
package protocol

// The versions of the protocol that this module speaks, both included.
const (
	MinVersion = 1
	MaxVersion = 1
)

const (
	// FrameSize is the most bytes of content in one message.
	FrameSize = 1 << 20
	// BatchEntries is the most entries or uploads in one message.
	BatchEntries = 1000
	// BatchSize is how many bytes of entries or uploads one message holds at most. It leaves room below MessageSize.
	BatchSize = 1 << 20
	// MessageSize is the size of the largest message in bytes.
	MessageSize = 2 << 20
	// StreamWindow is the HTTP/2 window of a stream, in bytes: a reader that is slow holds at most so many.
	StreamWindow = 2 << 20
	// ConnectionWindow is the HTTP/2 window of a connection, in bytes: as good as none.
	ConnectionWindow = 1 << 30
)

// The environment variables that a host sets for a driver.
const (
	// SocketVariable is the path of the Unix socket that the driver has to listen on.
	SocketVariable = "STORAGEDRIVER_SOCKET"
	// LifelineVariable says what the life of the driver hangs on; the only value is LifelineStdin.
	LifelineVariable = "STORAGEDRIVER_LIFELINE"
	// LifelineStdin says that the driver has to end within a second of the end of its standard input.
	LifelineStdin = "stdin"
)
