package trapline

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// What the paced traps share: an open loop, its tails, and a process of their own to be measured in.

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
func (t pacedTimes) tell(metrics map[string]float64, prefix string) {
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

// pacedReport reports metrics, and no time of a run, which is what the pace makes it.
func pacedReport(b *testing.B, metrics map[string]float64) {
	for unit, value := range metrics {
		b.ReportMetric(value, unit)
	}
	b.ReportMetric(0, "ns/op")
}

// pacedElsewhere measures an arm at a point in a process of its own, in a role made by pacedRole.
func pacedElsewhere(role, variant string, p point) func(*testing.B) {
	return func(b *testing.B) {
		var metrics map[string]float64
		for b.Loop() {
			process := another(role, "TRAPLINE_VARIANT="+variant, "TRAPLINE_N="+strconv.Itoa(p.n), "TRAPLINE_CASE="+p.name)
			alive, err := process.StdinPipe() // it ends when this end is closed
			if err != nil {
				b.Fatal(err)
			}
			told, err := process.Output()
			if err != nil {
				b.Fatal(err)
			}
			alive.Close()
			metrics = nil
			if err := json.Unmarshal(told, &metrics); err != nil {
				b.Fatal(err)
			}
		}
		pacedReport(b, metrics)
	}
}

// pacedRole is a role that measures one arm at one point, tells its metrics and ends, also if whoever asked for it has ended.
func pacedRole(role string, measure func(variant string, p point) map[string]float64) bool {
	roles[role] = func() {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		p := point{n: setting("TRAPLINE_N"), name: os.Getenv("TRAPLINE_CASE")}
		if err := json.NewEncoder(os.Stdout).Encode(measure(os.Getenv("TRAPLINE_VARIANT"), p)); err != nil {
			panic(err)
		}
	}
	return true
}

// pacedCPU is the CPU time that this process has taken so far.
func pacedCPU() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
