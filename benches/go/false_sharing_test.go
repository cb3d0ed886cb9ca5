package trapline

import (
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"
)

// Go leaves fields and elements in the order in which they are written, and does not keep neighbours apart; what pads is a field of
// bytes, for internal/cpu.CacheLinePad can't be imported. It differs from Rust: an atomic store in Go is an exchange, which waits
// for its line as an addition does, so that the case `store` is a plain counter += amount of the only writer. The memory model
// allows that where nobody reads before the writers are done, as here; a reader meanwhile would be a data race. Goroutines are not
// pinned. The compiler does not vectorise the floor.

// packedCounters is the trap: a counter for each worker, all in one line of 64 bytes. Nobody else lies in the line behind it.
type packedCounters struct {
	counts [8]uint64
	_      [64]byte
}

func (c *packedCounters) of(worker int) *uint64 {
	return &c.counts[worker]
}

// padded128 is the advice: counters two lines apart, out of reach of a prefetcher that fetches lines in pairs.
type padded128 [8]struct {
	count uint64
	_     [120]byte
}

func (c *padded128) of(worker int) *uint64 {
	return &c[worker].count
}

// padded64 has counters one line apart: half the memory.
type padded64 [8]struct {
	count uint64
	_     [56]byte
}

func (c *padded64) of(worker int) *uint64 {
	return &c[worker].count
}

// counterOf is where the counter of a worker lies.
type counterOf func(worker int) *uint64

// addAtOnce is the case `rmw`: one instruction reads, adds and writes, and no other core has the line meanwhile.
func addAtOnce(counter *uint64, amounts []uint64) {
	for _, amount := range amounts {
		atomic.AddUint64(counter, amount)
	}
}

// addAsOnlyWriter is the case `store`: it writes to memory for each amount, and does not wait for the line.
func addAsOnlyWriter(counter *uint64, amounts []uint64) {
	for _, amount := range amounts {
		*counter += amount
	}
}

// addBetweenWork writes the same between other work, as a service does for its statistics. The work does not wait for the counter.
func addBetweenWork(counter *uint64, amounts []uint64, steps int) {
	work := turns{steps: steps}
	for _, amount := range amounts {
		*counter += amount
		work.take(amount)
	}
}

// addLocally is the floor: it counts in a register, and writes the sum once.
func addLocally(counter *uint64, amounts []uint64) {
	sum := uint64(0)
	for _, amount := range amounts {
		sum += amount
	}
	atomic.AddUint64(counter, sum)
}

var falseSharing = register(trap{
	name: "false_sharing",
	points: []point{
		{n: 2_048, threads: 2, name: "rmw", headline: true},
		{n: 2_048, threads: 2, name: "store"},
		{n: 512, threads: 2, name: "store,work=50ns", headline: true},
	},
	arms: []arm{
		{name: "packed", role: "trap", build: func(p point) *work { return addEach(p, new(packedCounters).of) }},
		{name: "padded_128", role: "fix", build: func(p point) *work { return addEach(p, new(padded128).of) }},
		{name: "padded_64", role: "fix", build: func(p point) *work { return addEach(p, new(padded64).of) }},
		{name: "own_local", role: "floor", build: addOwnLocal},
	},
})

func BenchmarkFalseSharing(b *testing.B) {
	bench(b, falseSharing)
}

// addEach writes the worker's counter for each amount.
func addEach(p point, counter counterOf) *work {
	add := func(counter *uint64, amounts []uint64) {
		addBetweenWork(counter, amounts, 50*stepsPerMicrosecond/1_000)
	}
	switch p.name {
	case "rmw":
		add = addAtOnce
	case "store":
		add = addAsOnlyWriter
	}
	return addInCrew(p, counter, add)
}

// addOwnLocal is left out between work, where nothing is left to win.
func addOwnLocal(p point) *work {
	if strings.Contains(p.name, "work=") {
		return nil
	}
	return addInCrew(p, new(padded128).of, addLocally)
}

// addInCrew adds in all workers at once. The answer is the sum of their counters.
func addInCrew(p point, counter counterOf, add func(counter *uint64, amounts []uint64)) *work {
	amounts := counterAmounts(p)
	windows := newCrewWindows(p, *amounts)
	share := func(worker int) { add(counter(worker), windows.next(worker)) }
	run := func() uint64 {
		together(p.threads, share)
		sum := uint64(0)
		for worker := range p.threads {
			sum += *counter(worker)
		}
		return sum
	}
	return &work{run: run, share: share, input: amounts}
}

var counterAmounts = shared(func(point) []uint64 {
	r := newRng(28)
	amounts := make([]uint64, 1<<14)
	for at := range amounts {
		amounts[at] = r.next()
	}
	return amounts
})

func TestOnlyPackedCountersShareALine(t *testing.T) {
	packed := func() counterOf { return new(packedCounters).of }
	pairs := func() counterOf { return new(padded128).of }
	lines := func() counterOf { return new(padded64).of }
	for _, layout := range []struct {
		counters func() counterOf // a function, so that they are on the heap, as when they are measured
		apart    uintptr
	}{{packed, 8}, {pairs, 128}, {lines, 64}} {
		counter := layout.counters()
		first := uintptr(unsafe.Pointer(counter(0)))
		if first%128 != 0 {
			t.Errorf("counters %d bytes apart begin at %x, within a pair of lines", layout.apart, first)
		}
		if apart := uintptr(unsafe.Pointer(counter(1))) - first; apart != layout.apart {
			t.Errorf("counters are %d bytes apart, not %d", apart, layout.apart)
		}
	}
}
