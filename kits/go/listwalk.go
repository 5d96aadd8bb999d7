package storagedriver

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
)

// The walk over List: depth first, one List for each directory.
//
// Both orders come from sorting the children of one directory: everything below a directory has that directory's key as a
// prefix, so that no entry of another child can come between.
type listWalk struct {
	driver  Driver
	options WalkOptions
	// The directories that are open, from the outermost on.
	levels []level
	// The directory that was yielded last: it is listed when the next entry is asked for. Empty: none.
	pending string
}

type level struct {
	directory string
	// The entries still to come.
	rest []FileInfo
}

func newListWalk(ctx context.Context, driver Driver, start string, options WalkOptions) (*listWalk, error) {
	walk := &listWalk{driver: driver, options: options}
	return walk, walk.enter(ctx, start)
}

// Lists a directory, and keeps its children, those excepted that start-after leaves out.
func (w *listWalk) enter(ctx context.Context, directory string) error {
	listed, err := w.driver.List(ctx, directory)
	if err != nil {
		return err
	}
	rest := make([]FileInfo, 0, len(listed))
	for _, info := range listed {
		if info.Kind == FileAndDirectory {
			info.Kind = File
			rest = append(rest, FileInfo{Path: info.Path, Kind: Directory})
		}
		rest = append(rest, info)
	}
	rest = slices.DeleteFunc(rest, func(info FileInfo) bool { return !w.reaches(info) })
	slices.SortFunc(rest, func(a, b FileInfo) int { return compareSiblings(a, b, w.options.Order) })
	w.levels = append(w.levels, level{directory, rest})
	return nil
}

// Compares the places of two children of one directory, without making texts of them: there may be 100,000.
func compareSiblings(a, b FileInfo, order WalkOrder) int {
	if a.IsDir() == b.IsDir() && (order == TreeOrder || !a.IsDir()) {
		return strings.Compare(a.Path, b.Path)
	}
	shorter := min(len(a.Path), len(b.Path))
	if byStart := strings.Compare(a.Path[:shorter], b.Path[:shorter]); byStart != 0 {
		return byStart
	}
	if order == TreeOrder && len(a.Path) != len(b.Path) {
		return len(a.Path) - len(b.Path)
	}
	return a.Key().Compare(b.Key(), order)
}

// Whether the entry, or anything below it, comes after the start.
func (w *listWalk) reaches(info FileInfo) bool {
	if w.options.StartAfter == nil {
		return true
	}
	last := info.Key()
	if info.IsDir() {
		last = WalkKey{Path: info.Path, IsEnd: true}
	}
	return w.options.Admits(last)
}

func (w *listWalk) Next(ctx context.Context) (FileInfo, error) {
	for {
		if directory := w.pending; directory != "" {
			w.pending = ""
			// A directory that is gone meanwhile has nothing below it.
			if err := w.enter(ctx, directory); err != nil && !errors.Is(err, PathNotFound) {
				return FileInfo{}, err
			}
		}
		if len(w.levels) == 0 {
			return FileInfo{}, io.EOF
		}
		last := &w.levels[len(w.levels)-1]
		if len(last.rest) == 0 {
			w.levels = w.levels[:len(w.levels)-1]
			continue
		}
		info := last.rest[0]
		last.rest = last.rest[1:]
		if info.IsDir() {
			w.pending = info.Path
		} else if info.Modified.IsZero() {
			found, err := w.driver.Stat(ctx, info.Path)
			if errors.Is(err, PathNotFound) || err == nil && found.IsDir() {
				continue
			}
			if err != nil {
				return FileInfo{}, err
			}
			found.Kind = File
			info = found
		}
		if w.options.Admits(info.Key()) {
			return info, nil
		}
	}
}

func (w *listWalk) Skip(directory string) {
	if within(w.pending, directory) {
		w.pending = ""
	}
	for at, level := range w.levels {
		if within(level.directory, directory) {
			w.levels = w.levels[:at]
			return
		}
	}
}

func (w *listWalk) Close() {}
