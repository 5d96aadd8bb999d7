package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
)

// Moves a file of the root to a path, and makes the directories above it. Under the lock.
func (d *driver) publish(from, to string) error {
	name := relative(to)
	above := path.Dir(name)
	err := d.root.MkdirAll(above, 0o777)
	if err == nil {
		// rename(2) says for some directories that they are not empty, and for others that they are directories.
		if found, failed := d.root.Lstat(name); failed == nil && found.IsDir() {
			err = syscall.EISDIR
		} else {
			err = d.root.Rename(from, name)
		}
	}
	if err != nil {
		d.prune(above)
		return writing(to, "publish the content", err)
	}
	return nil
}

// Removes a directory and those above it, as far as they are empty; never the root nor the staging place. Under the lock.
func (d *driver) prune(directory string) {
	for ; directory != "." && directory != staging; directory = path.Dir(directory) {
		found, err := d.root.Lstat(directory)
		if isAbsent(err) {
			continue
		}
		if err != nil || !found.IsDir() || d.root.Remove(directory) != nil {
			return
		}
		d.known.forget(directory)
	}
}

// Makes durable what names a directory has, and that it is there itself. One that is gone took its names along.
func (d *driver) sync(directory string) error {
	passed := map[string]uint64{}
	for ; ; directory = path.Dir(directory) {
		inode, err := d.syncOne(directory)
		if isAbsent(err) && directory != "." {
			continue
		}
		if err != nil {
			return err
		}
		if directory == "." || d.known.has(directory, inode) {
			break
		}
		passed[directory] = inode
	}
	d.known.add(passed)
	return nil
}

func (d *driver) syncOne(directory string) (inode uint64, err error) {
	opened, err := d.root.OpenFile(directory, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	found, err := opened.Stat()
	if err != nil {
		return 0, err
	}
	if system, ok := found.Sys().(*syscall.Stat_t); ok {
		inode = system.Ino
	}
	return inode, opened.Sync()
}

// The directories that are durable themselves, with all above them: they need not be synced again.
type synced struct {
	mutex  sync.Mutex
	inodes map[string]uint64
}

func (s *synced) has(directory string, inode uint64) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	known, ok := s.inodes[directory]
	return ok && known == inode
}

func (s *synced) add(inodes map[string]uint64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.inodes == nil || len(s.inodes) > 10_000 {
		s.inodes = map[string]uint64{}
	}
	for directory, inode := range inodes {
		s.inodes[directory] = inode
	}
}

// Forgets a directory and those below it.
func (s *synced) forget(directory string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for known := range s.inodes {
		if known == directory || strings.HasPrefix(known, directory+"/") {
			delete(s.inodes, known)
		}
	}
}

// A clock that never tells a time twice.
type clock struct {
	mutex sync.Mutex
	last  int64
}

// The time in nanoseconds since 1970, later than any that was told and than the other.
func (c *clock) tick(after uint64) uint64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.last = max(time.Now().UnixNano(), c.last+1)
	return max(uint64(c.last), after+1)
}

// Gives a file a time that none had before: that makes it a version of its own.
func (d *driver) stamp(name string) error {
	now := time.Unix(0, int64(d.clock.tick(0)))
	return d.root.Chtimes(name, now, now)
}

func (d *driver) PutContent(ctx context.Context, target string, content []byte) error {
	var err error
	// A delete of a directory above takes what is staged along: then it is staged again.
	for range 10 {
		if err = d.put(ctx, target, content); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return storagedriver.Errorf(storagedriver.Conflict, target, "the content is removed again and again while on its way: %w", err)
}

func (d *driver) put(ctx context.Context, target string, content []byte) error {
	own, err := d.stage(ctx, target, staged{isPut: true})
	if err != nil {
		return err
	}
	defer d.unstage(own)
	if _, err := own.file.WriteAt(content, 0); err != nil {
		return writing(target, "write the content", err)
	}
	if err := d.stamp(own.path()); err != nil {
		return writing(target, "set the time of the content", err)
	}
	if err := own.file.Sync(); err != nil {
		return writing(target, "make the content durable", err)
	}
	err = d.exclusively(ctx, func() error {
		if _, err := d.root.Lstat(own.path()); err != nil {
			return writing(target, "find the staged content", err)
		}
		return d.publish(own.path(), target)
	})
	if err != nil {
		return err
	}
	if err := d.sync(path.Dir(relative(target))); err != nil {
		return writing(target, "make the name durable", err)
	}
	return nil
}
