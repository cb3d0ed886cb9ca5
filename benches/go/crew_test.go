package trapline

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Goroutines that work at the same time, and what keeps them apart.

// crew times runs of which each goroutine does its share, over and over, without waiting for the others. They start together from
// a gate at which they spin, so that nobody's start is in the clock. Where each can have a processor, the clock is a window: one who
// is done first would leave the others alone. More goroutines than that would not all have a turn in it, and do b.N runs.
func crew(b *testing.B, threads int, share func(worker int)) {
	b.ReportAllocs()
	inWindow := threads <= runtime.GOMAXPROCS(0)
	var here atomic.Int32
	var open, stopped atomic.Bool
	var done sync.WaitGroup
	shares := make([]int, threads)
	done.Add(threads)
	for worker := range threads {
		go func() {
			defer done.Done()
			here.Add(1)
			for !open.Load() {
				runtime.Gosched()
			}
			count := 0
			for ; inWindow && !stopped.Load() || !inWindow && count < b.N; count++ {
				share(worker)
			}
			shares[worker] = count
		}()
	}
	for here.Load() < int32(threads) {
		runtime.Gosched()
	}
	before := memStats()
	b.ResetTimer()
	open.Store(true)
	if inWindow {
		time.Sleep(window())
		stopped.Store(true)
	}
	done.Wait()
	b.StopTimer()
	after, runs := memStats(), float64(sum(shares))/float64(threads)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/runs, "ns/op")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/runs, "B/op")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/runs, "allocs/op")
}

// window is how long a crew is timed: as long as other arms are, or a moment where they run once.
func window() time.Duration {
	if length, err := time.ParseDuration(flag.Lookup("test.benchtime").Value.String()); err == nil {
		return length
	}
	return time.Millisecond
}

func sum(counts []int) (sum int) {
	for _, count := range counts {
		sum += count
	}
	return sum
}

// together runs each worker's share once, at the same time, for an answer.
func together(threads int, share func(worker int)) {
	var done sync.WaitGroup
	done.Add(threads)
	for worker := range threads {
		go func() {
			defer done.Done()
			share(worker)
		}()
	}
	done.Wait()
}

// parkedCrew are goroutines that wait to be called for a run, of which each does its part.
type parkedCrew struct {
	calls []chan struct{}
	done  sync.WaitGroup
}

func newParkedCrew(workers int, part func(worker int)) *parkedCrew {
	crew := new(parkedCrew)
	for worker := range workers {
		called := make(chan struct{}, 1)
		crew.calls = append(crew.calls, called)
		go func() {
			for range called {
				part(worker)
				crew.done.Done()
			}
		}()
	}
	return crew
}

func (c *parkedCrew) call() {
	c.done.Add(len(c.calls))
	for _, called := range c.calls {
		called <- struct{}{}
	}
}

func (c *parkedCrew) end() {
	for _, called := range c.calls {
		close(called)
	}
}

// ownLines keeps a value away from the lines of its neighbours.
type ownLines[T any] struct {
	_  [128]byte
	it T
	_  [128]byte
}

// onOwnLines is new(T) on lines of its own.
func onOwnLines[T any]() *T {
	return &new(ownLines[T]).it
}

// crewWindows are elements from which each worker takes the windows that its team has in Rust: in run r the one of number
// r * threads + worker, round and round. The elements are whole runs.
type crewWindows[T any] struct {
	items          []T
	share, threads int
	runs           []ownLines[int]
}

func newCrewWindows[T any](p point, items []T) *crewWindows[T] {
	return &crewWindows[T]{items: items, share: p.n / p.threads, threads: p.threads, runs: make([]ownLines[int], p.threads)}
}

func (w *crewWindows[T]) next(worker int) []T {
	run := &w.runs[worker].it
	from := (*run*w.threads + worker) * w.share % len(w.items)
	*run++
	return w.items[from : from+w.share]
}
