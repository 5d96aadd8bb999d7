package protocol

import (
	"cmp"
	"strings"
)

// The lengths of a path and of one component, in bytes, where a driver does not say others.
const (
	PathLimit      = 4096
	ComponentLimit = 255
)

// CheckPath checks a path against the grammar, `^(/[A-Za-z0-9._-]+)+$` without `.` and `..`, or `/`. The error is InvalidPath.
func CheckPath(path string) error {
	if path == "/" {
		return nil
	}
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return Errorf(InvalidPath, path, "a path starts with `/`")
	}
	for component := range strings.SplitSeq(rest, "/") {
		if reason := componentFault(component); reason != "" {
			return Errorf(InvalidPath, path, "%s", reason)
		}
	}
	return nil
}

// CheckLimits checks a path against limits in bytes; 0 stands for PathLimit and ComponentLimit. The error is InvalidPath.
func CheckLimits(path string, pathLimit, componentLimit int) error {
	pathLimit, componentLimit = cmp.Or(pathLimit, PathLimit), cmp.Or(componentLimit, ComponentLimit)
	if len(path) > pathLimit {
		return Errorf(InvalidPath, path, "%d bytes long; this driver's limit is %d bytes", len(path), pathLimit)
	}
	for component := range strings.SplitSeq(path, "/") {
		if length := len(component); length > componentLimit {
			return Errorf(InvalidPath, path, "a component is %d bytes long; this driver's limit is %d bytes", length, componentLimit)
		}
	}
	return nil
}

// IsName tells whether a name may be one component of a path.
func IsName(name string) bool {
	return componentFault(name) == ""
}

func componentFault(component string) string {
	switch component {
	case "":
		return "a component is empty; a path has no `//` and no trailing `/`"
	case ".", "..":
		return "a component is `.` or `..`; paths are never normalised"
	}
	for at := range len(component) {
		switch c := component[at]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return "a component has a character other than A-Z a-z 0-9 . _ -"
		}
	}
	return ""
}

// Child is the path of a name in a directory.
func Child(directory, name string) string {
	if directory == "/" {
		return "/" + name
	}
	return directory + "/" + name
}

// IsWithin tells whether a path is another one or lies below it.
func IsWithin(path, ancestor string) bool {
	return path == ancestor || IsBelow(path, ancestor)
}

// IsBelow tells whether a path lies below another one, by components: `/ab` does not lie below `/a`.
func IsBelow(path, ancestor string) bool {
	if ancestor == "/" {
		return path != "/"
	}
	rest, ok := strings.CutPrefix(path, ancestor)
	return ok && strings.HasPrefix(rest, "/")
}
