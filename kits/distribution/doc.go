// Package distribution lets CNCF Distribution's registry keep its storage in any storage driver of this repository, or of
// anyone who speaks the same protocol: executables called `registry-storage-<name>`, in any language.
//
// A registry takes it in by one blank import in its main package:
//
//	import _ "github.com/storagedriver/storagedriver/kits/distribution"
//
// and its configuration then names the driver, with the driver's own parameters:
//
//	storage:
//	  external:
//	    driver: filesystem
//	    rootdirectory: /srv/registry
//
// The protocol is described in docs/out-of-process.md of this repository, what this package does for the registry in
// docs/distribution-module.md.
package distribution
