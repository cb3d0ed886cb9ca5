package trapline

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A process of its own, for what can't be measured beside other arms: this binary once more, in a role, which is told an arm and a
// point. It prints what it has read, as JSON, and ends when it is done, or when whoever started it ends.

// roles are what this binary does as another process, by name.
var roles = map[string]func(arm string, p point){}

// readings are numbers by the name of their metric.
type readings map[string]float64

// telling makes a role of what reads numbers.
func telling(read func(arm string, p point) readings) func(string, point) {
	return func(arm string, p point) {
		if err := json.NewEncoder(os.Stdout).Encode(read(arm, p)); err != nil {
			panic(err)
		}
	}
}

// another is this binary in a role, not yet started, with settings of the environment beside its own. Its input is a pipe into
// which nobody writes: it is closed when this process ends, however it does.
func another(role, arm string, p point, settings ...string) *exec.Cmd {
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), "TRAPLINE="+role, "TRAPLINE_ARM="+arm,
		fmt.Sprintf("TRAPLINE_N=%d", p.n), fmt.Sprintf("TRAPLINE_THREADS=%d", p.threads), "TRAPLINE_CASE="+p.name)
	process.Env = append(process.Env, settings...)
	process.Stderr = os.Stderr
	if _, err := process.StdinPipe(); err != nil {
		panic(err)
	}
	return process
}

// play does a role, in the process that another has started.
func play(role string) {
	input := pollable(0)
	go func() {
		if _, err := input.Read(make([]byte, 1)); err != io.EOF {
			panic(err)
		}
		os.Exit(1)
	}()
	runtime.Gosched() // it waits in the poller from now on, where it takes no thread and no P from what is measured
	p := point{n: setting("TRAPLINE_N"), threads: setting("TRAPLINE_THREADS"), name: os.Getenv("TRAPLINE_CASE")}
	roles[role](os.Getenv("TRAPLINE_ARM"), p)
}

// pollable is a file that is read through the runtime's poller. It has a descriptor of its own: the runtime may have the other one
// in its poller already, as it does after exec.
func pollable(descriptor int) *os.File {
	own, err := syscall.Dup(descriptor)
	if err == nil {
		syscall.CloseOnExec(own)
		err = syscall.SetNonblock(own, true)
	}
	if err != nil {
		panic(err)
	}
	return os.NewFile(uintptr(own), "input")
}

// told runs a process to its end, and gives what it has printed.
func told(process *exec.Cmd) (readings, error) {
	out, err := process.Output()
	if err != nil {
		return nil, err
	}
	var read readings
	return read, json.Unmarshal(out, &read)
}

// elsewhere measures an arm at a point in a role: the mean of as many processes as the clock has time for.
func elsewhere(role, arm string, p point, settings ...string) func(*testing.B) {
	return func(b *testing.B) {
		means, processes := readings{}, 0.0
		for b.Loop() {
			read, err := told(another(role, arm, p, settings...))
			if err != nil {
				b.Fatalf("a process in the role %s: %v", role, err)
			}
			processes++
			for name, value := range read {
				means[name] += (value - means[name]) / processes
			}
		}
		means.report(b)
	}
}

// report reports readings, and the time and the blocks of a run only if they are among them.
func (r readings) report(b *testing.B) {
	b.ReportMetric(0, "ns/op")
	if _, ok := r["allocs/op"]; ok {
		b.ReportAllocs()
	}
	for name, value := range r {
		b.ReportMetric(value, name)
	}
}

// usage is what the kernel has counted for this process so far.
func usage() (used syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return used
}

// cpuTime is the time of all CPUs in a usage, in user mode and in the kernel.
func cpuTime(used syscall.Rusage) time.Duration {
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// memStats is what the runtime has counted so far.
func memStats() *runtime.MemStats {
	memory := new(runtime.MemStats)
	runtime.ReadMemStats(memory)
	return memory
}

// settled is what this process has and has used, once whoever is about to end has ended, and what is dead is collected and has
// been given back.
func settled() readings {
	time.Sleep(2 * time.Millisecond)
	debug.FreeOSMemory()
	memory, used := memStats(), usage()
	return readings{
		"live-bytes":  float64(memory.HeapAlloc),
		"stack-bytes": float64(memory.StackInuse),
		"goroutines":  float64(runtime.NumGoroutine()),
		"rss-bytes":   1024 * numberIn("/proc/self/smaps_rollup", "Rss:"),
		"cpu-ns":      float64(cpuTime(used)),
		"waits":       float64(used.Nvcsw),
		"preempted":   float64(used.Nivcsw),
	}
}

// growth is by how much each number of a settled process grows while work is done, and the bytes and the blocks that work allocates.
func growth(work func()) readings {
	before, memory := settled(), memStats()
	work()
	allocated, grown := memStats(), settled()
	for name := range grown {
		grown[name] -= before[name]
	}
	grown["B"] = float64(allocated.TotalAlloc - memory.TotalAlloc)
	grown["blocks"] = float64(allocated.Mallocs - memory.Mallocs)
	return grown
}

// holding does n requests, whose results do keeps. It tells what they allocate, by how much each of the second half makes some
// numbers grow, and what a full collection takes in the end.
func holding(n int, do func(from, to int), names ...string) readings {
	settled() // the first time loads code
	first := growth(func() { do(0, n/2) })
	second := growth(func() { do(n/2, n) })
	read := readings{
		"B/op":      first["B"] + second["B"],
		"allocs/op": first["blocks"] + second["blocks"],
		"gc-ns":     float64(fullCollection()),
	}
	for _, name := range names {
		read[name+"/request"] = second[name] / float64(n-n/2)
	}
	runtime.KeepAlive(do)
	return read
}

// fullCollection is what a full collection takes: the shortest of five.
func fullCollection() time.Duration {
	shortest := time.Duration(math.MaxInt64)
	for range 5 {
		start := time.Now()
		runtime.GC()
		shortest = min(shortest, time.Since(start))
	}
	return shortest
}

// numberIn is the number behind a word in a file of words; 0 if there is none.
func numberIn(file, word string) float64 {
	text, _ := os.ReadFile(file)
	fields := strings.Fields(string(text))
	var number float64
	if at := slices.Index(fields, word); at >= 0 && at+1 < len(fields) {
		fmt.Sscan(fields[at+1], &number)
	}
	return number
}
