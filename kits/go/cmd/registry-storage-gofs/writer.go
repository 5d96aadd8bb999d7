package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
)

// An upload that is written. Its bytes are in one of three places:
//
//   - prefix: it continues bytes that never change, those of content or of an upload in which another writer goes on, and
//     nothing was written yet. They are copied when something is;
//   - inPlace: the file of the closed upload that is resumed. What stands past its closed length does not count;
//   - own: a file of its own, never closed.
type writer struct {
	driver *driver
	path   string
	size   uint64
	// The closed upload that is resumed. Whoever gives it another name first has it; the others find it gone.
	claim *staged
	// The version of the content that the upload began with.
	base string

	prefix  *os.File
	inPlace *os.File
	// Whether the file that is resumed was cut to its closed length.
	isCut bool
	own   *ownFile
}

func (d *driver) Writer(ctx context.Context, path string, mode storagedriver.WriteMode) (storagedriver.FileWriter, error) {
	w := &writer{driver: d, path: path}
	if mode == storagedriver.Append {
		return w, w.resume(ctx)
	}
	return w, w.discardClosed(ctx)
}

func (w *writer) discardClosed(ctx context.Context) error {
	hadSome := false
	err := w.driver.exclusively(ctx, func() error {
		closed, err := w.driver.closedUploads(w.path)
		for _, each := range closed {
			err = errors.Join(err, w.driver.remove(w.path, each))
		}
		if hadSome = len(closed) > 0; hadSome {
			w.driver.prune(stagingOf(w.path))
		}
		return err
	})
	if err == nil && hadSome {
		err = w.driver.sync(stagingOf(w.path))
	}
	if err != nil {
		return writing(w.path, "discard the uploads closed before", err)
	}
	return nil
}

func (w *writer) resume(ctx context.Context) error {
	var isResumed bool
	err := w.driver.exclusively(ctx, func() error {
		closed, err := w.driver.closedUploads(w.path)
		if err != nil || len(closed) == 0 {
			return err
		}
		isResumed = true
		newest := closed[len(closed)-1]
		file, isLocked, err := w.driver.openStaged(w.path, newest)
		if err != nil {
			return err
		}
		found, err := file.Stat()
		if err == nil && uint64(found.Size()) < newest.size {
			err = storagedriver.Errorf(storagedriver.Corrupted, w.path, "an upload closed at %d bytes has only %d", newest.size, found.Size())
		}
		if err != nil {
			return errors.Join(err, file.Close())
		}
		w.claim, w.base, w.size = &newest, newest.base, newest.size
		if isLocked {
			w.inPlace = file
		} else {
			w.prefix = file
		}
		return nil
	})
	if err != nil {
		return fault(w.path, "resume the upload", err)
	}
	if isResumed {
		return nil
	}
	file, found, err := w.driver.open(w.path)
	if err != nil {
		return err
	}
	w.prefix, w.base, w.size = file, version(found), uint64(found.Size())
	return nil
}

func (w *writer) Size() uint64 {
	return w.size
}

// The file that is written: made, or cut to its closed length, when it is needed first.
func (w *writer) file(ctx context.Context) (*os.File, error) {
	if w.own != nil {
		return w.own.file, nil
	}
	if w.inPlace != nil {
		if !w.isCut {
			if err := w.inPlace.Truncate(int64(w.size)); err != nil {
				return nil, err
			}
			w.isCut = true
		}
		return w.inPlace, nil
	}
	var name staged
	if w.claim != nil {
		name.upload = w.claim.upload
	}
	own, err := w.driver.stage(ctx, w.path, name)
	if err != nil {
		return nil, err
	}
	if w.prefix != nil {
		_, err := w.prefix.Seek(0, io.SeekStart)
		if err == nil {
			_, err = io.CopyN(own.file, w.prefix, int64(w.size))
		}
		if err != nil {
			w.driver.unstage(own)
			return nil, err
		}
		_ = w.prefix.Close()
		w.prefix = nil
	}
	w.own = own
	return own.file, nil
}

func (w *writer) Write(ctx context.Context, chunk []byte) error {
	file, err := w.file(ctx)
	if err == nil {
		// What a failed write leaves stands past the end: the next goes over it, and an ending cuts it off.
		_, err = file.WriteAt(chunk, int64(w.size))
	}
	if err != nil {
		return w.failed("write to the upload", err)
	}
	w.size += uint64(len(chunk))
	return nil
}

func (w *writer) failed(tried string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return storagedriver.Errorf(storagedriver.Conflict, w.path, "%s: it was ended, discarded or deleted by somebody else", tried)
	}
	return writing(w.path, tried, err)
}

// Makes the file hold exactly what was accepted, durably.
func (w *writer) seal(ctx context.Context) error {
	file, err := w.file(ctx)
	if err != nil {
		return err
	}
	found, err := file.Stat()
	if err != nil {
		return err
	}
	if uint64(found.Size()) != w.size {
		if err := file.Truncate(int64(w.size)); err != nil {
			return err
		}
	}
	if err := w.driver.stamp(stagingOf(w.path) + "/" + w.name().String()); err != nil {
		return err
	}
	return file.Sync()
}

// The name that its file has now.
func (w *writer) name() staged {
	if w.own != nil {
		return w.own.name
	}
	return *w.claim
}

// Whether it is a resumed upload to which nothing was added.
func (w *writer) isUnchanged() bool {
	return w.claim != nil && w.own == nil && !w.isCut
}

func (w *writer) Close(ctx context.Context) error {
	if !w.isUnchanged() {
		if err := w.seal(ctx); err != nil {
			return w.failed("make the upload durable", err)
		}
	}
	err := w.driver.exclusively(ctx, func() error {
		_, err := w.keep()
		return err
	})
	if err == nil {
		w.letGo()
		err = w.driver.sync(stagingOf(w.path))
	}
	if err != nil {
		return w.failed("close the upload", err)
	}
	return nil
}

// Lets go of the file, which has its name now.
func (w *writer) letGo() {
	if w.own != nil {
		_ = w.own.file.Close()
	}
	w.own = nil
}

// Gives the file its name as a closed upload, if nobody else has gone on with the upload. Under the lock.
func (w *writer) keep() (staged, error) {
	before := w.claim
	closed := staged{upload: w.name().upload, isClosed: true, size: w.size, base: w.base}
	closed.sequence = w.driver.clock.tick(w.name().sequence)
	directory := stagingOf(w.path) + "/"
	if before != nil {
		closed.sequence = w.driver.clock.tick(before.sequence)
		if _, err := w.driver.root.Lstat(directory + before.String()); err != nil {
			return closed, err
		}
	}
	if err := w.driver.root.Rename(directory+w.name().String(), directory+closed.String()); err != nil {
		return closed, err
	}
	if before == nil || w.own == nil {
		return closed, nil
	}
	// The new state is durable before the old one goes.
	if err := w.driver.sync(stagingOf(w.path)); err != nil {
		return closed, err
	}
	return closed, w.driver.discard(w.path, *before)
}

func (w *writer) Commit(ctx context.Context) error {
	err := w.seal(ctx)
	if err == nil {
		err = w.driver.exclusively(ctx, w.publish)
	}
	if err != nil {
		err = w.failed("commit the upload", err)
		if ctx.Err() == nil {
			// Left resumable, if that can be done; the error that counts is the first.
			_ = w.Close(ctx)
		}
		return err
	}
	w.letGo()
	if err := w.driver.sync(parent(w.path)); err != nil {
		return writing(w.path, "make the name durable", err)
	}
	// The upload must not come back.
	if err := w.driver.sync(stagingOf(w.path)); err != nil {
		return writing(w.path, "make the end of the upload durable", err)
	}
	return nil
}

// Moves the file to its path. Under the lock.
func (w *writer) publish() error {
	if w.base != "" {
		found, err := w.driver.root.Lstat(relative(w.path))
		if err != nil && !isAbsent(err) {
			return err
		}
		if err != nil || version(found) != w.base {
			return storagedriver.Errorf(storagedriver.Conflict, w.path, "the content that the append started from was replaced")
		}
	}
	name := w.name()
	if w.claim != nil && w.own != nil {
		kept, err := w.keep()
		if err != nil {
			return err
		}
		// That is the upload now, and this its file.
		name, w.own.name, w.claim = kept, kept, nil
	}
	staged := stagingOf(w.path) + "/" + name.String()
	if _, err := w.driver.root.Lstat(staged); err != nil {
		return err
	}
	if err := w.driver.publish(staged, w.path); err != nil {
		return err
	}
	w.driver.prune(stagingOf(w.path))
	return nil
}

func (w *writer) Cancel(ctx context.Context) error {
	err := w.driver.exclusively(ctx, func() error {
		var err error
		if w.own != nil {
			err = w.driver.remove(w.path, w.own.name)
		}
		if w.claim != nil {
			err = errors.Join(err, w.driver.discard(w.path, *w.claim))
		}
		w.driver.prune(stagingOf(w.path))
		return err
	})
	if err == nil {
		w.letGo()
		err = w.driver.sync(stagingOf(w.path))
	}
	if err != nil {
		return w.failed("cancel the upload", err)
	}
	return nil
}

func (w *writer) Drop() {
	for _, file := range []*os.File{w.prefix, w.inPlace} {
		if file != nil {
			_ = file.Close()
		}
	}
	w.prefix, w.inPlace = nil, nil
	if w.own != nil && !w.own.name.isClosed {
		// A file that was never closed is of no use to anybody.
		w.driver.unstage(w.own)
		w.own = nil
	}
	w.letGo()
}
