// Distribution's registry with the storage drivers of this repository, and those of anyone who speaks the same protocol: what
// the blank import below is for. Without Distribution's own drivers, it is also the smallest registry that there is.
package main

import (
	"os"

	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/auth/token"
	_ "github.com/distribution/distribution/v3/registry/proxy"
	_ "github.com/storagedriver/storagedriver/kits/distribution"
)

func main() {
	if err := registry.RootCmd.Execute(); err != nil {
		os.Exit(1)
	}
}
