//go:build conformance

package distribution

import (
	"context"
	"testing"
)

// The registry asks for the size of an upload by opening and closing it, also while another request writes to it.
func TestAnUploadCanBeLookedAtWhileItIsWritten(t *testing.T) {
	for name, section := range map[string]map[string]any{
		"inmemory": sectionOf(t, "inmemory", nil), "filesystem": sectionOfFiles(t), "s3": sectionOnCeph(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			made := opened(t, section)
			if err := openWriter(t, made, false).Close(); err != nil {
				t.Fatal(err)
			}
			writer := openWriter(t, made, true)
			write(t, writer, someBytes(1<<20))
			for range 3 {
				looking := openWriter(t, made, true)
				if looking.Size() != 0 {
					t.Errorf("%d bytes", looking.Size())
				}
				if err := looking.Close(); err != nil {
					t.Error(err)
				}
			}
			if err := writer.Close(); err != nil {
				t.Error(err)
			}
			writer = openWriter(t, made, true)
			if writer.Size() != 1<<20 {
				t.Errorf("%d bytes", writer.Size())
			}
			if err := writer.Cancel(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}
