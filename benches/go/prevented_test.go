package trapline

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A map has a flag that is set while it is written to. Who writes or reads and finds it set ends the program, by a fatal error that
// nothing recovers from. The check is made on best effort: the flag is no lock, and what two writers did before one of them met it,
// or if none does, is undefined. Claim F6 is that a map which is shared without a lock corrupts silently.
// It differs from Rust in that it compiles. What is measured is how processes end, out of some, in each of which two goroutines
// start together and write n entries of their own keys: by the fatal error, by another failure, or as if all were well, and then
// with entries lost or with none.

// preventedProcesses are how many are started.
const preventedProcesses = 40

// unsynchronisedHits is the trap: whoever has it writes to the map.
type unsynchronisedHits map[uint64]uint64

func (h unsynchronisedHits) add(key uint64) { h[key]++ }

// hitsBehindLock is the fix: one writer at a time.
type hitsBehindLock struct {
	mu   sync.Mutex
	hits map[uint64]uint64
}

func (h *hitsBehindLock) add(key uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hits[key]++
}

var prevented = register(trap{
	name:   "prevented",
	points: []point{{n: 10_000, threads: 2, headline: true}},
	arms: []arm{
		{name: "unsynchronised", role: "trap", build: sharedMap("unsynchronised"),
			unanswered: "undefined: it may end the process or lose entries"},
		{name: "locked", role: "fix", build: sharedMap("locked")},
	},
})

func BenchmarkPrevented(b *testing.B) {
	bench(b, prevented)
}

func sharedMap(arm string) func(point) *work {
	return func(p point) *work {
		run := func() uint64 { return uint64(p.n) - uint64(lostHits(arm, p)) }
		return &work{run: run, measure: func(b *testing.B) {
			// One of its own, which does not tell what it takes to start processes.
			b.Run("ends", func(b *testing.B) { countEnds(b, arm, p) })
		}}
	}
}

// lostHits has goroutines count hits in a map that they share, each those of keys that nobody else has. It gives how many keys
// do not have their one hit afterwards.
func lostHits(arm string, p point) int {
	hits := map[uint64]uint64{}
	add := unsynchronisedHits(hits).add
	if arm == "locked" {
		add = (&hitsBehindLock{hits: hits}).add
	}
	var here atomic.Int32
	together(p.threads, func(worker int) {
		for here.Add(1); here.Load() < int32(p.threads); {
			runtime.Gosched()
		}
		for key := worker; key < p.n; key += p.threads {
			add(uint64(key))
		}
	})
	lost := 0
	for key := range p.n {
		if hits[uint64(key)] != 1 {
			lost++
		}
	}
	return lost
}

// loseHits tells how many are lost, if it comes to that. A broken map may never come to an end.
func loseHits(arm string, p point) readings {
	time.AfterFunc(2*time.Second, func() { os.Exit(3) })
	return readings{"lost-entries": float64(lostHits(arm, p))}
}

func init() {
	roles["prevented"] = telling(loseHits)
}

// countEnds reports how processes end, and how many entries are lost in one of those that say nothing.
func countEnds(b *testing.B, arm string, p point) {
	ends := map[string]float64{"fatal": 0, "crashed": 0, "lost": 0, "whole": 0}
	var lost, processes float64
	for b.Loop() {
		for range preventedProcesses {
			end, entries := preventedEnd(b, arm, p)
			ends[end]++
			lost += entries
			processes++
		}
	}
	for end, count := range ends {
		b.ReportMetric(count/processes, end+"-share")
	}
	b.ReportMetric(lost/max(ends["lost"], 1), "lost-entries")
	b.ReportMetric(0, "ns/op")
}

// preventedEnd is how a process ends, and how many entries it has lost without a word.
func preventedEnd(b *testing.B, arm string, p point) (string, float64) {
	process := another("prevented", arm, p)
	var said bytes.Buffer
	process.Stderr = &said
	read, err := told(process)
	switch failed := (*exec.ExitError)(nil); {
	case errors.As(err, &failed) && strings.Contains(said.String(), "fatal error: concurrent map"):
		return "fatal", 0
	case errors.As(err, &failed):
		return "crashed", 0
	case err != nil:
		b.Fatal(err)
	}
	entries := read["lost-entries"]
	if entries > 0 {
		return "lost", entries
	}
	return "whole", 0
}
