// Package storagedriver is the kit for storage drivers in Go: an executable `registry-storage-<name>` that a registry, or any
// program with the Rust crate storagedriver-ipc, starts and talks to over a Unix socket.
//
// A driver is a type that implements Driver, and a main of one line that calls Serve. The kit does the rest: the socket, the
// life line, versions, parameters, streams, flow control, walks over List, and how errors cross. What the methods have to do is in the
// contract, docs/contract.md of this repository; its suite checks a driver from outside (see README.md).
//
// What the kit guarantees to a driver, so that no driver repeats it:
//
//   - every path keeps the grammar and the limits of the driver; `/` arrives only at Stat, List, Walk and Uploads;
//   - a writer gets at most one ending (Close, Commit or Cancel), nothing but Drop after it, and no two calls at once;
//   - Rename never has equal ends: onto itself it is answered by a Stat;
//   - content that a Reader gives short is noticed, and lists are sorted;
//   - a panic in a method is an error of that call, with its stack on standard error.
package storagedriver
