package main

import (
	"errors"
	"io"
	"io/fs"
	"syscall"

	storagedriver "github.com/storagedriver/storagedriver/kits/go"
)

func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// The error of something that was to be read.
func reading(path, tried string, err error) error {
	if isAbsent(err) {
		return storagedriver.NotFound(path)
	}
	return fault(path, tried, err)
}

// The error of something that was to be written.
func writing(path, tried string, err error) error {
	for _, conflict := range []error{syscall.ENOTDIR, syscall.EISDIR, syscall.ENOTEMPTY, syscall.EEXIST} {
		if errors.Is(err, conflict) {
			return storagedriver.Errorf(storagedriver.Conflict, path, "%s: %w", tried, cause(err))
		}
	}
	return fault(path, tried, err)
}

var kinds = map[syscall.Errno]storagedriver.Kind{
	syscall.ENOSPC:       storagedriver.OutOfSpace,
	syscall.EDQUOT:       storagedriver.OutOfSpace,
	syscall.EFBIG:        storagedriver.OutOfSpace,
	syscall.EACCES:       storagedriver.PermissionDenied,
	syscall.EPERM:        storagedriver.PermissionDenied,
	syscall.EROFS:        storagedriver.PermissionDenied,
	syscall.ENAMETOOLONG: storagedriver.InvalidPath,
	syscall.EMFILE:       storagedriver.Unavailable,
	syscall.ENFILE:       storagedriver.Unavailable,
	syscall.ENOMEM:       storagedriver.Unavailable,
	syscall.ESTALE:       storagedriver.Unavailable,
}

func fault(path, tried string, err error) error {
	var known *storagedriver.Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return storagedriver.Errorf(storagedriver.Corrupted, path, "%s: it is shorter than when it was opened", tried)
	}
	kind := storagedriver.Backend
	var number syscall.Errno
	if errors.As(err, &number) {
		kind = kinds[number]
	}
	return storagedriver.Errorf(kind, path, "%s: %w", tried, cause(err))
}

// The error without the name of the file, which the path says already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
