package trapline

import (
	"sync"
	"sync/atomic"
	"testing"
)

// A send takes the channel's lock and copies into a slot, or straight to a receiver that waits; then its goroutine goes on the
// sender's run queue, and if a P is idle, the kernel may have to wake a thread for it. A sender that finds no room gives its thread
// away. The twin differs: Go has one mutex, so that std_mutex is the advice; it has a channel without room as well, for a hand-over
// between goroutines of one P needs no kernel, where in Rust a thread parks; the owner is not pinned beside a worker; of
// eight goroutines each does a fixed number of runs, so that the last ones may be alone with the lock.

// labelCounts has a count for each label.
type labelCounts [16]uint64

// labelled is an amount under a label.
type labelled struct {
	label uint8
	by    uint32
}

// counterAsk is what the owner is sent: an increment, or where to send all counts, as of behind all that was sent before.
type counterAsk struct {
	labelled
	read chan<- labelCounts
}

// ownCounts is the owner's life: nobody else touches the counts, and it ends when the channel is closed.
func ownCounts(asks <-chan counterAsk) {
	var counts labelCounts
	for ask := range asks {
		if ask.read != nil {
			ask.read <- counts
			continue
		}
		counts[ask.label] += uint64(ask.by)
	}
}

// countByActor is the trap: it sends each increment to the goroutine that owns the counts.
func countByActor(asks chan<- counterAsk, increments []labelled, work turns) {
	for _, i := range increments {
		asks <- counterAsk{labelled: i}
		work.take(uint64(i.by))
	}
}

// lockedCounts is a small lock around plain integers.
type lockedCounts struct {
	mu     sync.Mutex
	counts labelCounts
}

func (c *lockedCounts) add(label uint8, by uint64) {
	c.mu.Lock()
	c.counts[label] += by
	c.mu.Unlock()
}

// countByStdMutex is the advice: it holds a lock for as long as an addition takes.
func countByStdMutex(counts *lockedCounts, increments []labelled, work turns) {
	for _, i := range increments {
		counts.add(i.label, uint64(i.by))
		work.take(uint64(i.by))
	}
}

// countByAtomics needs no lock: atomics side by side, as services have them.
func countByAtomics(counts *[16]atomic.Uint64, increments []labelled, work turns) {
	for _, i := range increments {
		counts[i.label].Add(uint64(i.by))
		work.take(uint64(i.by))
	}
}

var sharedCounter = register(trap{
	name: "shared_counter",
	points: []point{
		{n: 4_096, threads: 2, headline: true},
		{n: 4_096, threads: 1},
		{n: 4_096, threads: 8},
		{n: 64, threads: 1, name: "work=20us"},
	},
	arms: []arm{
		{name: "actor", role: "trap", build: sharedByActor(128)},
		{name: "std_mutex", role: "fix", build: sharedByStdMutex},
		{name: "atomics", role: "fix", build: sharedByAtomics},
		{name: "actor_unbuffered", role: "opposite", build: sharedByRendezvous},
	},
})

func BenchmarkSharedCounter(b *testing.B) {
	bench(b, sharedCounter)
}

func sharedByActor(room int) func(point) *work {
	return func(p point) *work {
		asks := make(chan counterAsk, room)
		go ownCounts(asks)
		count := func(_ int, increments []labelled, work turns) { countByActor(asks, increments, work) }
		counted := counting(p, count, func() labelCounts {
			counts := make(chan labelCounts)
			asks <- counterAsk{read: counts}
			return <-counts
		})
		counted.end = func() { close(asks) }
		return counted
	}
}

func sharedByStdMutex(p point) *work {
	counts := onOwnLines[lockedCounts]()
	count := func(_ int, increments []labelled, work turns) { countByStdMutex(counts, increments, work) }
	return counting(p, count, func() labelCounts { return counts.counts })
}

// sharedByAtomics is left out where there is work between, which hides what it wins over the mutex.
func sharedByAtomics(p point) *work {
	if p.name != "" {
		return nil
	}
	counts := onOwnLines[[16]atomic.Uint64]()
	count := func(_ int, increments []labelled, work turns) { countByAtomics(counts, increments, work) }
	return counting(p, count, func() labelCounts {
		var read labelCounts
		for label := range counts {
			read[label] = counts[label].Load()
		}
		return read
	})
}

// sharedByRendezvous is the actor whose channel has no room, at the headline only.
func sharedByRendezvous(p point) *work {
	if !p.headline {
		return nil
	}
	return sharedByActor(0)(p)
}

// counting counts in all workers at once. The answer weighs each count by its label, so that one of another label changes it. The
// clock holds the sends: at most as many increments as the channel has room for are under way when it stops.
func counting(p point, count func(worker int, increments []labelled, work turns), read func() labelCounts) *work {
	increments := labelledIncrements(p)
	steps := 0
	if p.name == "work=20us" {
		steps = 20 * stepsPerMicrosecond
	}
	windows := newCrewWindows(p, *increments)
	share := func(worker int) { count(worker, windows.next(worker), turns{steps: steps}) }
	run := func() uint64 {
		together(p.threads, share)
		answer := uint64(0)
		for label, count := range read() {
			answer += (uint64(label) + 1) * count
		}
		return answer
	}
	return &work{run: run, share: share, input: increments}
}

var labelledIncrements = shared(func(point) []labelled {
	r := newRng(29)
	increments := make([]labelled, pool)
	for at := range increments {
		label := r.below(16)
		increments[at] = labelled{uint8(label), uint32(r.below(1_000))}
	}
	return increments
})
