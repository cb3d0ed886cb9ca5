package trapline

import (
	"sync"
	"sync/atomic"
	"testing"
)

// In Go a send takes the channel's lock and copies the result into the buffer. It makes a receiver that sleeps runnable, as the next
// on the sender's P; a P that idles may steal it, and none is there when all have work. A receiver that finds nothing parks at once.
// This differs from Rust: crossbeam's channel has no lock, and its receiver spins before it parks in the kernel. Nobody is pinned:
// the runtime decides where the caller goes, and on more CPUs than workers it has one of its own. Workers are parked before a run
// and not awake, so that waking them is in the clock. A slot is a plain word and ordered by the wait; in Rust it is atomic.
// The goroutines of task_a_unit take all CPUs that the process has, so that it is left out beside one worker.

// fanUnits are units of work of one fixed length.
type fanUnits struct {
	seeds []uint64
	steps int
}

func (u *fanUnits) work(at int) uint64 {
	return ownWork(u.steps, u.seeds[at])
}

// claim gives the next many units that nobody has claimed; there are none when from is not below to.
func (u *fanUnits) claim(next *atomic.Int64, many int) (from, to int) {
	to = int(next.Add(int64(many)))
	return to - many, min(to, len(u.seeds))
}

// fanResult is a result, and where it belongs.
type fanResult struct {
	at    int
	value uint64
}

// sendEach is the trap, in the worker: each result is sent to the caller.
func sendEach(units *fanUnits, next *atomic.Int64, results chan<- fanResult) {
	for {
		at, to := units.claim(next, 1)
		if at >= to {
			return
		}
		results <- fanResult{at, units.work(at)}
	}
}

// placeEach is the trap, in the caller: results are put in their places as they come.
func placeEach(results <-chan fanResult, slots []uint64) {
	for range slots {
		result := <-results
		slots[result.at] = result.value
	}
}

// storeEach is the advice, in the worker: each result is stored where it belongs. The caller's wait publishes the slots.
func storeEach(units *fanUnits, next *atomic.Int64, slots []uint64) {
	for {
		at, to := units.claim(next, 1)
		if at >= to {
			return
		}
		slots[at] = units.work(at)
	}
}

// goEach starts a goroutine for each unit.
func goEach(units *fanUnits, slots []uint64) {
	var done sync.WaitGroup
	done.Add(len(slots))
	for at := range slots {
		go func() {
			defer done.Done()
			slots[at] = units.work(at)
		}()
	}
	done.Wait()
}

// storeClaims is the floor, in the worker: 16 units are claimed at a time.
func storeClaims(units *fanUnits, next *atomic.Int64, slots []uint64) {
	for {
		from, to := units.claim(next, 16)
		if from >= to {
			return
		}
		for at := from; at < to; at++ {
			slots[at] = units.work(at)
		}
	}
}

var fanIn = register(trap{
	name: "fan_in",
	points: []point{
		{n: 1_000, threads: 2, name: "1us", headline: true},
		{n: 10_000, threads: 2, name: "1us"},
		{n: 1_000, threads: 2, name: "10us"},
		{n: 1_000, threads: 1, name: "1us", headline: true},
	},
	arms: []arm{
		{name: "results_channel", role: "trap", build: fanning(sendResults, func(r *fanRun) {
			r.crew.call()
			placeEach(r.results, r.slots)
			r.crew.done.Wait() // all workers have seen that nothing is left, before the next run counts from nothing
		})},
		{name: "indexed_slots", role: "fix", build: fanning(storeResults, (*fanRun).callAndWait)},
		{name: "channel_drained", role: "fix", build: fanning(sendResults, func(r *fanRun) {
			r.callAndWait()
			placeEach(r.results, r.slots)
		})},
		{name: "task_a_unit", role: "fix", build: atHeadlinesFrom(2, fanning(nil, func(r *fanRun) { goEach(r.units, r.slots) }))},
		{name: "claimed_slots", role: "floor", build: atHeadlinesFrom(1, fanning(func(r *fanRun) {
			storeClaims(r.units, &r.next.it, r.slots)
		}, (*fanRun).callAndWait))},
	},
})

func BenchmarkFanIn(b *testing.B) {
	bench(b, fanIn)
}

func sendResults(r *fanRun)  { sendEach(r.units, &r.next.it, r.results) }
func storeResults(r *fanRun) { storeEach(r.units, &r.next.it, r.slots) }

// fanRun is what a run shares. Slots and the channel's buffer are made before the clock, as in Rust.
type fanRun struct {
	units   *fanUnits
	next    ownLines[atomic.Int64]
	slots   []uint64
	results chan fanResult
	crew    *parkedCrew
}

func (r *fanRun) callAndWait() {
	r.crew.call()
	r.crew.done.Wait()
}

// fanning makes an arm of what each worker does of a run, and what the caller does.
func fanning(part, collect func(r *fanRun)) func(point) *work {
	return func(p point) *work {
		r := &fanRun{units: fanUnitsOf(p), slots: make([]uint64, p.n), results: make(chan fanResult, p.n)}
		r.crew = newParkedCrew(p.threads, func(int) { part(r) })
		run := func() uint64 {
			r.next.it.Store(0)
			collect(r)
			return weighSlots(r.slots)
		}
		w := &work{run: run, input: r.units, end: r.crew.end}
		if p.n == 10_000 { // a run of several ms, for the CPU's clock is a coarse one
			w.measure = func(b *testing.B) { fanUsage(b, p.n, run) }
		}
		return w
	}
}

// atHeadlinesFrom leaves an arm out at other points, and at those of fewer threads.
func atHeadlinesFrom(threads int, build func(point) *work) func(point) *work {
	return func(p point) *work {
		if !p.headline || p.threads < threads {
			return nil
		}
		return build(p)
	}
}

// fanUsage times runs, and counts what the process takes for them: claim E6 is about CPU time and switches.
func fanUsage(b *testing.B, n int, run func() uint64) {
	b.ReportAllocs()
	sink += run()
	before := usage()
	for b.Loop() {
		sink += run()
	}
	after := usage()
	units := float64(b.N) * float64(n)
	b.ReportMetric(float64(cpuTime(after)-cpuTime(before))/units, "cpu-ns/unit")
	b.ReportMetric(float64(after.Nvcsw+after.Nivcsw-before.Nvcsw-before.Nivcsw)/units, "switches/unit")
}

// weighSlots is Σ value · (2·index + 1): a value that is lost, or in another's place, changes it.
func weighSlots(slots []uint64) (sum uint64) {
	for at, value := range slots {
		sum += value * (2*uint64(at) + 1)
	}
	return sum
}

var fanUnitsOf = shared(func(p point) fanUnits {
	r, units := newRng(4), fanUnits{make([]uint64, p.n), stepsPerMicrosecond}
	if p.name == "10us" {
		units.steps = 10 * stepsPerMicrosecond
	}
	for at := range units.seeds {
		units.seeds[at] = r.next()
	}
	return units
})
