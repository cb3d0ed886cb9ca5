package trapline

import (
	"runtime"
	"slices"
	"time"
)

// What the paced traps share: an open loop, and its tails.

// pacedOps does n ops, one whenever one is due, and never waits for an answer. It spins on the clock. Its thread is not locked: a
// locked one is left and taken up again whenever the goroutine parks or is preempted, which costs what no goroutine of a service pays.
func pacedOps(n int, every time.Duration, op func(due time.Time)) {
	alone := runtime.GOMAXPROCS(0) == 1 // then nobody else runs while it spins
	due := time.Now()
	for range n {
		due = due.Add(every)
		for time.Now().Before(due) {
			if alone {
				runtime.Gosched()
			}
		}
		op(due)
	}
}

// pacedTimes are how long ops took from when they were due. The memory has been touched before.
type pacedTimes []time.Duration

func newPacedTimes(n int) pacedTimes {
	times := make(pacedTimes, n)
	for at := range times {
		times[at] = 1
	}
	return times[:0]
}

// tell enters what is known of the times. A p99 needs a thousand of them.
func (t pacedTimes) tell(metrics readings, prefix string) {
	sorted, sum := slices.Sorted(slices.Values(t)), time.Duration(0)
	for _, time := range sorted {
		sum += time
	}
	metrics[prefix+"mean-ns"] = float64(sum) / float64(len(sorted))
	metrics[prefix+"p50-ns"] = float64(sorted[(len(sorted)-1)/2])
	if len(sorted) >= 1_000 {
		metrics[prefix+"p99-ns"] = float64(sorted[(len(sorted)*99-1)/100])
	}
}
