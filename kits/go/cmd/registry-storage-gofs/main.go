// Command registry-storage-gofs is the example of a driver in Go: each path is a file below a directory of this machine.
//
// It keeps the whole contract. The parameter `rootdirectory` is the directory, which is made if it does not exist.
//
// What is not published yet stands in `<root>/~staging`, below a directory for its path; no path has a `~`. An upload is one
// file, whose name says which upload it is, at how many bytes it was closed, and what content it continues:
//
//	~staging/a/b/~<upload>.<sequence>.open              never closed
//	~staging/a/b/~<upload>.<sequence>.<bytes>[.<base>]  closed, and can be resumed by any process
//	~staging/a/b/~<upload>.<sequence>.put               no upload, but content on its way
//
// Content is published by rename(2), so that a reader keeps what it opened. Each step that changes names is done under one lock,
// which other processes respect too (flock(2) on the root directory): that makes everything else simple, and writers wait for
// each other. The file of an upload is locked by the writer that goes on in it; another one that resumes it
// copies it when it has something to write.
//
// It is an example, and slower than the driver `filesystem` of this repository. It follows no symbolic link out of
// the root; links and what is neither file nor directory it leaves out. A process that is killed between making a directory and
// putting a file there leaves it empty.
package main

import storagedriver "github.com/storagedriver/storagedriver/kits/go"

func main() {
	storagedriver.Serve("gofs", "1.0.0", open)
}
