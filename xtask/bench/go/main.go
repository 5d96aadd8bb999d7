// The drivers of CNCF Distribution, doing the same work as the subjects of the program beside it, and speaking to
// `cargo xtask bench` in the same way:
//
//	storagedriver-bench go STEP...
//
// with the storage in the variable STORAGEDRIVER_BENCH_STORAGE. It does all steps but the last, prints "ready", waits for a
// line, does the last, prints "done" with what it took, and ends when its input does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/s3-aws"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", strings.Join(os.Args[1:], " "), err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 2 {
		return fmt.Errorf("usage: storagedriver-bench go STEP...")
	}
	var storage struct {
		Driver     string
		Parameters map[string]any
	}
	if err := json.Unmarshal([]byte(os.Getenv("STORAGEDRIVER_BENCH_STORAGE")), &storage); err != nil {
		return fmt.Errorf("STORAGEDRIVER_BENCH_STORAGE: %w", err)
	}
	ctx := context.Background()
	driver, err := factory.Create(ctx, storage.Driver, storage.Parameters)
	if err != nil {
		return err
	}

	// The first connection and what is made once are not part of the work.
	warm := fmt.Sprintf("/warm/%d", os.Getpid())
	if err := driver.PutContent(ctx, warm, []byte("warm")); err != nil {
		return err
	}
	if _, err := driver.GetContent(ctx, warm); err != nil {
		return err
	}
	var last *work
	for _, text := range arguments[1:] {
		if last != nil {
			if _, err := last.run(ctx); err != nil {
				return err
			}
		}
		if last, err = prepare(driver, text); err != nil {
			return err
		}
	}
	input := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	if _, err := input.ReadString('\n'); err != nil {
		return err
	}
	took, err := last.run(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(took)
	if err != nil {
		return err
	}
	fmt.Println("done", string(text))
	// Whoever measures reads our memory now.
	_, _ = input.ReadString('\n')
	return nil
}
