package trapline

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A goroutine that waits on a channel is never taken, whether anybody still knows the channel or not: it keeps its stack, of
// 2 KiB at first, and all that is referenced from there, and each collection scans it. It is no thread of the system.
// It differs from Rust: nobody joins a worker, so that one that is closed ends a little after its request; the readings wait for
// that. Cancelling is done by a context. The registry closes all channels at the end of a run, and at 1000 it is held in a process of
// its own, where the second half's growth is told, and a full collection with all workers alive.

// leakableWork is a worker's life: it ends when no job can come any more.
func leakableWork(jobs <-chan uint64, answers chan<- uint64, keeps int) {
	kept := bytes.Repeat([]byte{1}, keeps)
	for order := range jobs {
		answers <- workerAnswer(order, kept)
	}
}

// workerAnswer is what an order is answered with. What is kept for the work takes a part in it.
func workerAnswer(order uint64, kept []byte) uint64 {
	answer := order * 0x9E3779B97F4A7C15
	if len(kept) > 0 {
		answer ^= uint64(kept[len(kept)-1])
	}
	return answer
}

// workerRegistry is where the trap keeps the ways to its workers.
type workerRegistry struct {
	open []chan<- uint64
}

func (r *workerRegistry) close() {
	for _, jobs := range r.open {
		close(jobs)
	}
}

// neverClosed is the trap: the channel stays open, and the worker waits for what may come.
func neverClosed(r *workerRegistry, order uint64, keeps int) uint64 {
	jobs, answers := make(chan uint64, 1), make(chan uint64, 1)
	go leakableWork(jobs, answers, keeps)
	r.open = append(r.open, jobs)
	jobs <- order
	return <-answers
}

// closedAfterUse is the advice: who makes a channel closes it.
func closedAfterUse(_ *workerRegistry, order uint64, keeps int) uint64 {
	jobs, answers := make(chan uint64, 1), make(chan uint64, 1)
	defer close(jobs)
	go leakableWork(jobs, answers, keeps)
	jobs <- order
	return <-answers
}

// cancelledAfterUse is for a worker whose channel nobody can close, such as one that puts back what it can't do yet.
func cancelledAfterUse(_ *workerRegistry, order uint64, keeps int) uint64 {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	jobs, answers := make(chan uint64, 1), make(chan uint64, 1)
	go cancellableWork(ctx, jobs, answers, keeps)
	jobs <- order
	return <-answers
}

// cancellableWork looks at the context between two jobs.
func cancellableWork(ctx context.Context, jobs chan uint64, answers chan<- uint64, keeps int) {
	kept := bytes.Repeat([]byte{1}, keeps)
	for {
		select {
		case order := <-jobs:
			answers <- workerAnswer(order, kept)
		case <-ctx.Done():
			return
		}
	}
}

// inlineWork is the floor: no worker. The caller keeps for the time of the work what the worker would.
func inlineWork(_ *workerRegistry, order uint64, keeps int) uint64 {
	return workerAnswer(order, bytes.Repeat([]byte{1}, keeps))
}

type serveOrder func(r *workerRegistry, order uint64, keeps int) uint64

var orderServers = map[string]serveOrder{
	"never_closed": neverClosed,
	"closed":       closedAfterUse,
	"cancelled":    cancelledAfterUse,
	"inline":       inlineWork,
}

var leakedWorker = register(trap{
	name: "leaked_worker",
	points: []point{
		{n: 1_000, threads: 1, name: "held=64KiB", headline: true},
		{n: 1_000, threads: 1, name: "bare"},
		{n: 64, threads: 1, name: "held=64KiB"},
		{n: 64, threads: 1, name: "bare"},
	},
	arms: []arm{
		{name: "never_closed", role: "trap", build: leaking("never_closed")},
		{name: "closed", role: "fix", build: leaking("closed")},
		{name: "cancelled", role: "fix", build: leaking("cancelled")},
		{name: "inline", role: "floor", build: leaking("inline")},
	},
})

func BenchmarkLeakedWorker(b *testing.B) {
	bench(b, leakedWorker)
}

func leaking(arm string) func(point) *work {
	return func(p point) *work {
		all := workerOrders(p)
		orders := newWindows(*all, p.n)
		w := &work{input: all, measure: elsewhere("leaked_worker", arm, p)}
		w.run = func() uint64 {
			registry := new(workerRegistry)
			defer registry.close()
			return serveOrders(registry, arm, p, orders.next())
		}
		if p.n == 64 {
			w.measure = func(b *testing.B) { allocatedBy(b, w.run) }
		}
		return w
	}
}

// allocatedBy reports what a run allocates, and not what it takes: that is the start of workers, and the trap's cost comes later.
func allocatedBy(b *testing.B, run func() uint64) {
	b.ReportAllocs()
	for b.Loop() {
		sink += run()
	}
	b.ReportMetric(0, "ns/op")
}

var workerOrders = shared(func(p point) []uint64 {
	r := newRng(42)
	orders := make([]uint64, max(pool, p.n))
	for at := range orders {
		orders[at] = r.next()
	}
	return orders
})

func serveOrders(registry *workerRegistry, arm string, p point, orders []uint64) uint64 {
	keeps := 64 << 10
	if p.name == "bare" {
		keeps = 0
	}
	var sum uint64
	for _, order := range orders {
		sum += orderServers[arm](registry, order, keeps)
	}
	return sum
}

// holdWorkers serves orders and keeps the registry.
func holdWorkers(arm string, p point) readings {
	registry, orders := new(workerRegistry), *workerOrders(p)
	serve := func(from, to int) { sink += serveOrders(registry, arm, p, orders[from:to]) }
	return holding(p.n, serve, "goroutines", "rss-bytes", "live-bytes", "stack-bytes")
}

func init() {
	roles["leaked_worker"] = telling(holdWorkers)
}

// A leak check as goleak makes it: the stacks of all goroutines after the work, looked through until they are gone or a second
// has passed.
func TestALeakCheckFindsTheWorkerThatNobodyEnds(t *testing.T) {
	for name, want := range map[string]int{"never_closed": 1, "closed": 0, "cancelled": 0, "inline": 0} {
		registry := new(workerRegistry)
		orderServers[name](registry, 7, 8)
		left := liveWorkers()
		for wait := 0; left != want && wait < 1_000; wait++ {
			time.Sleep(time.Millisecond)
			left = liveWorkers()
		}
		if left != want {
			t.Errorf("%s leaves %d workers, and not %d", name, left, want)
		}
		registry.close()
	}
}

func liveWorkers() int {
	stacks := make([]byte, 1<<20)
	all := string(stacks[:runtime.Stack(stacks, true)])
	return strings.Count(all, "\ntrapline.leakableWork(") + strings.Count(all, "\ntrapline.cancellableWork(")
}
