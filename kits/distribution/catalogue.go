package distribution

import (
	"context"
	"errors"
	"path"
	"strings"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// A walk of all repositories that shows a repository before those below it.
//
// The registry knows a repository by its `_manifests`, and pages by names: `team/app` before `team/app/0`. But in the order of the
// tree `team/app/0` comes before `team/app/_manifests`, and a page that ended between them would leave `team/app` out. So
// before anything that sorts before `_manifests` it is looked whether that is there.
type catalogue struct {
	driver *driver
	ctx    context.Context
	f      storagedriver.WalkFn
	// Directories that were looked into.
	asked map[string]bool
	// What was shown ahead, with what was said to it.
	shown map[string]error
}

func (d *driver) catalogue(ctx context.Context, f storagedriver.WalkFn) *catalogue {
	return &catalogue{driver: d, ctx: ctx, f: f, asked: map[string]bool{}, shown: map[string]error{}}
}

func (c *catalogue) show(info storagedriver.FileInfo) error {
	if said, was := c.shown[info.Path()]; was {
		delete(c.shown, info.Path())
		return said
	}
	parent, name := path.Split(info.Path())
	parent = path.Clean(parent)
	isBeforeManifests := name[0] < manifestsName[0]
	// No name of a repository has a component that starts so.
	isRepository := parent != repositoriesRoot && !strings.Contains(parent, "/_")
	if isBeforeManifests && isRepository && !c.asked[parent] {
		c.asked[parent] = true
		if err := c.showAhead(parent + "/" + manifestsName); err != nil {
			return err
		}
	}
	return c.f(info)
}

func (c *catalogue) showAhead(manifests string) error {
	info, err := c.driver.Stat(c.ctx, manifests)
	if isNotFound(err) || err == nil && !info.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	said := c.f(info)
	if said != nil && !errors.Is(said, storagedriver.ErrSkipDir) {
		return said
	}
	c.shown[manifests] = said
	return nil
}
