package main

import (
	"bytes"
	"encoding/json"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// What is written at a time where there is no stream, at most, in bytes.
const largest = 1 << 20

// step is what to do: count operations, or as many as milliseconds allow. The fields are those of step.rs.
type step struct {
	Kind         string
	Count        int64
	Milliseconds int64
	Size         int64
	Piece        int64
	Ring         int64
	Workers      int64
	From, To     string
}

// took is what a step took.
type took struct {
	Nanoseconds int64            `json:"nanoseconds"`
	Operations  int64            `json:"operations"`
	Laps        map[string]int64 `json:"laps"`
}

func since(started time.Time, operations int64) took {
	return took{Nanoseconds: time.Since(started).Nanoseconds(), Operations: operations, Laps: map[string]int64{}}
}

// prepare makes what the operations need, before the clock starts.
func prepare(driver storagedriver.StorageDriver, text string) (*work, error) {
	w := &work{driver: driver}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&w.step); err != nil {
		return nil, err
	}
	piece := w.Piece
	if piece == 0 {
		piece = min(w.Size, largest)
	}
	w.chunk = make([]byte, piece)
	for i := range w.chunk {
		w.chunk[i] = byte(i % 251)
	}
	w.ring = make([]string, w.Ring)
	for i := range w.ring {
		w.ring[i] = blob(w.From, int64(i))
	}
	return w, nil
}
