package trapline

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What is measured in a process of its own. It does its work, which ends by itself, and prints its metrics by name.

type childMetrics map[string]float64

// childArm is the name of the arm that a process was started for.
func childArm() string { return os.Getenv("TRAPLINE_ARM") }

// childPoint is the point that it was started for.
func childPoint() point {
	return point{n: setting("TRAPLINE_N"), threads: setting("TRAPLINE_THREADS"), name: os.Getenv("TRAPLINE_CASE")}
}

// childSettings tell a process its arm and its point.
func childSettings(arm string, p point) []string {
	return []string{
		"TRAPLINE_ARM=" + arm,
		fmt.Sprintf("TRAPLINE_N=%d", p.n),
		fmt.Sprintf("TRAPLINE_THREADS=%d", p.threads),
		"TRAPLINE_CASE=" + p.name,
	}
}

// childMeasured reports what processes in a role tell, also of what they allocate: the mean of as many as the clock has time for.
func childMeasured(b *testing.B, role string, settings ...string) {
	b.ReportAllocs()
	sums, processes := childMetrics{}, 0.0
	for b.Loop() {
		out, err := another(role, settings...).Output()
		var told childMetrics
		if err == nil {
			err = json.Unmarshal(out, &told)
		}
		if err != nil {
			b.Fatalf("a process in the role %s: %v", role, err)
		}
		for name, value := range told {
			sums[name] += value
		}
		processes++
	}
	for name, sum := range sums {
		b.ReportMetric(sum/processes, name)
	}
}

// tell prints the metrics to whoever has started this process.
func (m childMetrics) tell() {
	if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
		panic(err)
	}
}

// childReading is what this process has and has used, once whoever is about to end has ended, and what is dead is collected and
// has been given back.
func childReading() childMetrics {
	time.Sleep(2 * time.Millisecond)
	debug.FreeOSMemory()
	memory := childMemory()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return childMetrics{
		"live-bytes":  float64(memory.HeapAlloc),
		"stack-bytes": float64(memory.StackInuse),
		"goroutines":  float64(runtime.NumGoroutine()),
		"rss-bytes":   1024 * childNumber("/proc/self/smaps_rollup", "Rss:"),
		"cpu-ns":      float64(used.Utime.Nano() + used.Stime.Nano()),
		"waits":       float64(used.Nvcsw),
		"preempted":   float64(used.Nivcsw),
	}
}

func childMemory() *runtime.MemStats {
	memory := new(runtime.MemStats)
	runtime.ReadMemStats(memory)
	return memory
}

// childUsed is by how much each number of a reading grows while work is done, and the bytes and the blocks that work allocates.
func childUsed(work func()) childMetrics {
	before, memory := childReading(), childMemory()
	work()
	allocated, used := childMemory(), childReading()
	for name := range used {
		used[name] -= before[name]
	}
	used["B"] = float64(allocated.TotalAlloc - memory.TotalAlloc)
	used["blocks"] = float64(allocated.Mallocs - memory.Mallocs)
	return used
}

// childHeld does n requests, whose results do keeps. It tells what they allocate, by how much each of the second half makes some
// numbers of a reading grow, and what a full collection takes in the end.
func childHeld(n int, do func(from, to int), names ...string) childMetrics {
	childReading() // the first one loads code
	first := childUsed(func() { do(0, n/2) })
	second := childUsed(func() { do(n/2, n) })
	told := childMetrics{
		"ns/op":     0,
		"B/op":      first["B"] + second["B"],
		"allocs/op": first["blocks"] + second["blocks"],
		"gc-ns":     childCollection(),
	}
	for _, name := range names {
		told[name+"/request"] = second[name] / float64(n-n/2)
	}
	runtime.KeepAlive(do)
	return told
}

// childNumber is the number behind a word in a file of words; 0 if there is none.
func childNumber(file, word string) float64 {
	text, _ := os.ReadFile(file)
	fields := strings.Fields(string(text))
	var number float64
	if at := slices.Index(fields, word); at >= 0 && at+1 < len(fields) {
		fmt.Sscan(fields[at+1], &number)
	}
	return number
}

// childCollection is what a full collection takes, in ns: the shortest of five.
func childCollection() float64 {
	shortest := time.Duration(math.MaxInt64)
	for range 5 {
		start := time.Now()
		runtime.GC()
		shortest = min(shortest, time.Since(start))
	}
	return float64(shortest)
}
