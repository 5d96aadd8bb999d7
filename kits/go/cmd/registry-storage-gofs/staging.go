package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
	"github.com/storagedriver/storagedriver/kits/go/protocol"
)

// The place for what is not published yet.
const staging = "~staging"

// The directory in which uploads to a path are staged.
func stagingOf(path string) string {
	if path == "/" {
		return staging
	}
	return staging + path
}

// What the name of a staged file says.
type staged struct {
	// Which upload, from its beginning to its end.
	upload uint64
	// Grows with each close, over all uploads.
	sequence uint64
	// Whether it is no upload, but content that is put.
	isPut bool
	// Whether it was closed, and at how many bytes.
	isClosed bool
	size     uint64
	// The version of the content that it continues; empty: none.
	base string
}

func (s staged) String() string {
	if !s.isClosed {
		state := "open"
		if s.isPut {
			state = "put"
		}
		return fmt.Sprintf("~%016x.%016x.%s", s.upload, s.sequence, state)
	}
	name := fmt.Sprintf("~%016x.%016x.%d", s.upload, s.sequence, s.size)
	if s.base != "" {
		name += "." + s.base
	}
	return name
}

func parseStaged(name string) (staged, bool) {
	var found staged
	parts := strings.Split(strings.TrimPrefix(name, "~"), ".")
	if len(parts) < 3 || len(parts) > 4 {
		return found, false
	}
	var failed [3]error
	found.upload, failed[0] = strconv.ParseUint(parts[0], 16, 64)
	found.sequence, failed[1] = strconv.ParseUint(parts[1], 16, 64)
	if found.isPut = parts[2] == "put"; !found.isPut && parts[2] != "open" {
		found.isClosed = true
		found.size, failed[2] = strconv.ParseUint(parts[2], 10, 64)
	}
	if len(parts) == 4 {
		found.base = parts[3]
	}
	// Only a name that this driver gives: one that came from outside leads nowhere else.
	return found, errors.Join(failed[:]...) == nil && found.String() == name && !strings.Contains(name, "/")
}

// A staged file of our own, locked.
type ownFile struct {
	file *os.File
	// Its directory below the root, and its name there.
	directory string
	name      staged
}

func (o *ownFile) path() string {
	return o.directory + "/" + o.name.String()
}

// Makes a staged file for a path, and locks it. Where the name says no upload, it is a new one.
func (d *driver) stage(ctx context.Context, target string, name staged) (*ownFile, error) {
	name.upload, name.sequence = cmp.Or(name.upload, rand.Uint64()|1), d.clock.tick(0)
	own := &ownFile{directory: stagingOf(target), name: name}
	err := d.exclusively(ctx, func() error {
		err := d.root.MkdirAll(own.directory, 0o777)
		if err == nil {
			own.file, err = d.root.OpenFile(own.path(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		}
		if err == nil {
			err = flock(own.file, syscall.LOCK_EX|syscall.LOCK_NB)
		}
		if err != nil && own.file != nil {
			_ = d.root.Remove(own.path())
			_ = own.file.Close()
		}
		if err != nil {
			d.prune(own.directory)
			return writing(target, "stage the content", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return own, nil
}

// Removes a staged file of our own that is still there, and the directories that are empty then.
func (d *driver) unstage(own *ownFile) {
	_ = d.exclusively(context.Background(), func() error {
		_ = d.root.Remove(own.path())
		d.prune(own.directory)
		return nil
	})
	_ = own.file.Close()
}

// The closed uploads of a path, the newest last. What a process that was killed while it closed an upload left of it before
// is removed. Under the lock.
func (d *driver) closedUploads(target string) ([]staged, error) {
	all, err := d.stagedFiles(target)
	if err != nil {
		return nil, err
	}
	var closed []staged
	for _, each := range all {
		if !each.isClosed {
			continue
		}
		isOld := slices.ContainsFunc(all, func(other staged) bool {
			return other.isClosed && other.upload == each.upload && other.sequence > each.sequence
		})
		if !isOld {
			closed = append(closed, each)
		} else if err := d.remove(target, each); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(closed, func(a, b staged) int { return cmp.Compare(a.sequence, b.sequence) })
	return closed, nil
}

// All that is staged for a path, and for no path below it.
func (d *driver) stagedFiles(target string) ([]staged, error) {
	names, err := namesIn(d.root, stagingOf(target))
	if err != nil && !isAbsent(err) {
		return nil, err
	}
	var found []staged
	for _, name := range names {
		if each, ok := parseStaged(name); ok {
			found = append(found, each)
		}
	}
	return found, nil
}

// Removes a staged file, which may be gone.
func (d *driver) remove(target string, name staged) error {
	err := d.root.Remove(stagingOf(target) + "/" + name.String())
	if isAbsent(err) {
		return nil
	}
	return err
}

// Opens a staged file and tries to lock it: nobody else goes on in it then.
func (d *driver) openStaged(target string, name staged) (file *os.File, isLocked bool, err error) {
	file, err = d.root.OpenFile(stagingOf(target)+"/"+name.String(), os.O_RDWR, 0)
	if err != nil {
		return nil, false, err
	}
	return file, flock(file, syscall.LOCK_EX|syscall.LOCK_NB) == nil, nil
}

func (d *driver) hasUploads(below string) (bool, error) {
	found := false
	err := d.eachStagingDirectory(below, func(path string) error {
		all, err := d.stagedFiles(path)
		found = found || slices.ContainsFunc(all, func(each staged) bool { return !each.isPut })
		return err
	})
	return found, err
}

// Goes through the paths at and below one for which something may be staged.
func (d *driver) eachStagingDirectory(below string, visit func(path string) error) error {
	names, err := namesIn(d.root, stagingOf(below))
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := visit(below); err != nil {
		return err
	}
	for _, name := range names {
		if protocol.IsName(name) {
			if err := d.eachStagingDirectory(protocol.Child(below, name), visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *driver) Uploads(ctx context.Context, below string) ([]storagedriver.UploadInfo, error) {
	var found []storagedriver.UploadInfo
	err := d.exclusively(ctx, func() error {
		return d.eachStagingDirectory(below, func(path string) error {
			closed, err := d.closedUploads(path)
			if err != nil {
				return err
			}
			dead, err := d.deadUploads(path)
			if err != nil {
				return err
			}
			for _, each := range append(closed, dead...) {
				info, err := d.root.Lstat(stagingOf(path) + "/" + each.String())
				if err != nil {
					return err
				}
				found = append(found, storagedriver.UploadInfo{Path: path, Size: each.size, Modified: info.ModTime(), ID: each.String()})
			}
			return nil
		})
	})
	if err != nil {
		return nil, fault(below, "look for uploads", err)
	}
	return found, nil
}

// What killed processes left: never closed, and nobody has the lock.
func (d *driver) deadUploads(target string) ([]staged, error) {
	all, err := d.stagedFiles(target)
	var dead []staged
	for _, each := range all {
		if each.isClosed {
			continue
		}
		file, isDead, err := d.openStaged(target, each)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if isDead {
			dead = append(dead, each)
		}
		_ = file.Close()
	}
	return dead, err
}

func (d *driver) AbortUpload(ctx context.Context, upload storagedriver.UploadInfo) error {
	target := upload.Path
	name, ok := parseStaged(upload.ID)
	if !ok {
		return storagedriver.Errorf(storagedriver.Conflict, target, "the upload is none of this driver")
	}
	movedOn := storagedriver.Errorf(storagedriver.Conflict, target, "the upload has moved on since it was listed")
	err := d.exclusively(ctx, func() error {
		all, err := d.stagedFiles(target)
		if err != nil {
			return err
		}
		if !slices.Contains(all, name) {
			if slices.ContainsFunc(all, func(other staged) bool { return other.upload == name.upload }) {
				return movedOn
			}
			return nil
		}
		file, isLocked, err := d.openStaged(target, name)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		if !isLocked {
			return movedOn
		}
		if err := d.discard(target, name); err != nil {
			return err
		}
		d.prune(stagingOf(target))
		return nil
	})
	if err == nil {
		err = d.sync(stagingOf(target))
	}
	if err != nil {
		return fault(target, "abort the upload", err)
	}
	return nil
}

// Removes a closed upload, and what is left of it from before. Under the lock.
func (d *driver) discard(target string, name staged) error {
	all, err := d.stagedFiles(target)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other == name || other.isClosed && other.upload == name.upload && other.sequence < name.sequence {
			if err := d.remove(target, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// The directory of a path's parent.
func parent(target string) string {
	return path.Dir(relative(target))
}
