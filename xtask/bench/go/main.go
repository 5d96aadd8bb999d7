// The S3 driver of CNCF Distribution, doing the same work as the subjects of the program beside it, and speaking to
// `cargo xtask bench` in the same way:
//
//	storagedriver-bench go WORK COUNT SIZE WORKERS FROM TO
//
// with the storage in the variable STORAGEDRIVER_BENCH_STORAGE. It prints "ready", waits for a line, works, prints
// "done" with the nanoseconds, and ends when its input does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/s3-aws"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", strings.Join(os.Args[1:], " "), err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 7 {
		return fmt.Errorf("usage: storagedriver-bench go WORK COUNT SIZE WORKERS FROM TO")
	}
	numbers := make([]int64, 3)
	for i, text := range arguments[2:5] {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		numbers[i] = number
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
	w := work{driver, numbers[0], numbers[1], numbers[2], arguments[5], arguments[6]}
	input := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	if _, err := input.ReadString('\n'); err != nil {
		return err
	}
	started := time.Now()
	if err := w.run(ctx, arguments[1]); err != nil {
		return err
	}
	fmt.Println("done", time.Since(started).Nanoseconds())
	// Whoever measures reads our memory now.
	_, _ = input.ReadString('\n')
	return nil
}
