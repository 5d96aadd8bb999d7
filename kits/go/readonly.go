package storagedriver

import "context"

// ReadOnly is the half of a driver whose backend cannot be written to: embed it, and write GetContent, Reader, Stat and List.
type ReadOnly struct{}

func readOnly(path string) error {
	return Errorf(Unsupported, path, "the storage is read-only")
}

// PutContent is refused.
func (ReadOnly) PutContent(_ context.Context, path string, _ []byte) error {
	return readOnly(path)
}

// Writer is refused.
func (ReadOnly) Writer(_ context.Context, path string, _ WriteMode) (FileWriter, error) {
	return nil, readOnly(path)
}

// Rename is refused.
func (ReadOnly) Rename(_ context.Context, from, _ string) error {
	return readOnly(from)
}

// Delete is refused.
func (ReadOnly) Delete(_ context.Context, path string) error {
	return readOnly(path)
}

// Uploads gives none.
func (ReadOnly) Uploads(context.Context, string) ([]UploadInfo, error) {
	return nil, nil
}

// AbortUpload finds the upload gone, which is no error.
func (ReadOnly) AbortUpload(context.Context, UploadInfo) error {
	return nil
}

// Guarantees promises all: nothing that could be broken can be done.
func (ReadOnly) Guarantees() Guarantees {
	return Guarantees{}
}
