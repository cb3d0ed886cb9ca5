//go:build linux

package trapline

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// A server under load, for what the collector does to requests. The server is another process, and this one makes the load: it
// spins on the clock, says in shared memory how many requests are due, and sees there how many are done. So a wait is from when
// a request was due to when this side has seen its answer. Nothing sleeps and nothing is woken, which at these rates would cost
// more than a request. What it costs are two lines of cache a request and a turn of the spinning loops on both sides.
//
// This thread has the last CPU to itself, and the server all others; with two CPUs its collector works on the one that serves,
// as in a container of one CPU. With a single one the two take turns, and the waits are the scheduler's. The server has nothing
// on its heap but what it serves from: its input lies beside it. Here the collector is off meanwhile. While this thread does not
// run, its clock stands still: that is not the server's doing. When the server does not run, whoever is to blame, it is late.

// servedLoad is what is asked of a server.
type servedLoad struct {
	role     string
	arm      string
	p        point
	settings []string // of its environment, beside those of a role
	n        int      // requests, besides a tenth more at the beginning, whose waits do not count
	every    time.Duration
	after    int // more of them at the end, unpaced, in which the most that its heap holds is looked for
	op       int // how many of them are an op of the benchmark, for what is allocated
}

// servedBoard is in memory of both processes: requests that are due, and those that are done.
type servedBoard struct {
	asked atomic.Uint64
	_     [120]byte
	done  atomic.Uint64
	_     [120]byte
	ready atomic.Bool
	after uint64
	servedFigures
}

// servedFigures are what the server knows of itself: collections and their CPU time, the most that was on its heap, and what it
// allocated.
type servedFigures struct {
	cycles, gcNs, peak, bytes, blocks uint64
}

// servedAway is a turn of the loop that asks in which the thread did not run: others take less than a tenth of a µs.
const servedAway = 10 * time.Microsecond

// servedEnd is asked for when there is nothing more to ask for.
const servedEnd = ^uint64(0)

// measure puts a server under load.
func (l servedLoad) measure(b *testing.B) {
	waits := make(chan []time.Duration)
	file, board := newServedBoard(b)
	board.after = uint64(l.after)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread, which is bound to a CPU, ends with this
		waits <- l.drive(file, board)
	}()
	all := <-waits
	file.Close()
	if len(all) < l.n {
		b.Fatalf("the server ended after %d of %d requests", len(all), l.n)
	}
	l.report(b, all, board.servedFigures)
	syscall.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(board)), os.Getpagesize()))
}

func (l servedLoad) report(b *testing.B, waits []time.Duration, f servedFigures) {
	var sum time.Duration
	for _, wait := range waits {
		sum += wait
	}
	slices.Sort(waits)
	quantile := func(q float64) float64 { return float64(waits[int(q*float64(len(waits)))]) }
	b.ReportMetric(quantile(0.5), "p50-ns")
	b.ReportMetric(quantile(0.99), "p99-ns")
	b.ReportMetric(quantile(0.999), "p999-ns")
	b.ReportMetric(float64(sum)/float64(len(waits)), "mean-ns")
	b.ReportMetric(float64(f.cycles), "gc-cycles")
	b.ReportMetric(float64(f.gcNs), "gc-ns")
	b.ReportMetric(float64(f.peak), "peak-bytes")
	ops := float64(l.n+l.n/10) / float64(l.op)
	b.ReportAllocs()
	b.ReportMetric(float64(f.bytes)/ops, "B/op") // the server's, not this process's
	b.ReportMetric(float64(f.blocks)/ops, "allocs/op")
	b.ReportMetric(0, "ns/op")
}

// drive starts the server, asks for requests at a constant rate, and gives the wait of each that was done.
func (l servedLoad) drive(file *os.File, board *servedBoard) []time.Duration {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	server := another(l.role, l.arm, l.p, append([]string{"GOMAXPROCS=", "GOMEMLIMIT="}, l.settings...)...)
	server.ExtraFiles = []*os.File{file}
	mine, its := servedCPUs()
	servedBind(its)
	gone := servedStart(server)
	servedBind(mine)
	for !board.ready.Load() && !gone.Load() {
		time.Sleep(time.Millisecond)
	}
	waits := l.ask(board, gone, mine != its)
	board.asked.Store(servedEnd)
	for !gone.Load() {
		time.Sleep(time.Millisecond)
	}
	return waits
}

// servedStart starts the server on the CPUs of this thread. Its flag says that it has ended.
func servedStart(server *exec.Cmd) *atomic.Bool {
	if err := server.Start(); err != nil {
		panic(err)
	}
	var gone atomic.Bool
	go func() {
		server.Wait()
		gone.Store(true)
	}()
	return &gone
}

// ask asks for each request when it is due, whatever became of those before.
func (l servedLoad) ask(board *servedBoard, gone *atomic.Bool, apart bool) []time.Duration {
	warm := l.n / 10
	waits := make([]time.Duration, warm+l.n)
	for at := range waits {
		waits[at] = 1 // so that no page of it is new later
	}
	sent, seen, last := 0, 0, time.Duration(0)
	for start := time.Now(); seen < len(waits) && !gone.Load(); {
		done := int(board.done.Load())
		now := time.Since(start)
		if apart && now-last > servedAway {
			start = start.Add(now - last)
			now = last
		}
		last = now
		for ; seen < done; seen++ {
			waits[seen] = now - time.Duration(seen)*l.every
		}
		due := sent
		for due < len(waits) && time.Duration(due)*l.every <= now {
			due++
		}
		if due > sent {
			sent = due
			board.asked.Store(uint64(sent))
		}
	}
	return waits[min(warm, seen):seen]
}

// serveBoard is the server: it serves what is asked for until there is no more.
func serveBoard(serve func() uint64) {
	board := mapServedBoard(os.NewFile(3, "board"))
	before := servedReading()
	board.ready.Store(true)
	for served := uint64(0); ; {
		asked := awaitAsked(board, served)
		if asked == servedEnd {
			break
		}
		for ; served < asked; served++ {
			sink += serve()
			board.done.Store(served + 1)
		}
	}
	figures := servedReading()
	figures.cycles -= before.cycles
	figures.gcNs -= before.gcNs
	figures.bytes -= before.bytes
	figures.blocks -= before.blocks
	for at := range board.after {
		sink += serve()
		if at%64 == 0 {
			figures.peak = max(figures.peak, servedReading().peak)
		}
	}
	board.servedFigures = figures
}

// awaitAsked spins until there is more to serve. With one CPU it lets others run between two looks, as a server that waits for
// its socket does: the collector, when it is at work, takes a quarter of the time. With more, that runs elsewhere.
func awaitAsked(board *servedBoard, served uint64) uint64 {
	single := runtime.GOMAXPROCS(0) == 1
	for {
		if asked := board.asked.Load(); asked != served {
			return asked
		}
		if single {
			runtime.Gosched()
		}
	}
}

// servedReading reads the runtime's figures: those that only grow, and what is on the heap now.
func servedReading() servedFigures {
	samples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/allocs:objects"},
	}
	metrics.Read(samples)
	return servedFigures{
		cycles: samples[0].Value.Uint64(),
		gcNs:   uint64(samples[1].Value.Float64() * 1e9),
		peak:   samples[2].Value.Uint64(),
		bytes:  samples[3].Value.Uint64(),
		blocks: samples[4].Value.Uint64(),
	}
}

// newServedBoard makes a page that is in memory and in no file that is written back.
func newServedBoard(b *testing.B) (*os.File, *servedBoard) {
	file, err := os.CreateTemp("/dev/shm", "trapline")
	if err != nil {
		b.Skip("no shared memory: ", err)
	}
	os.Remove(file.Name())
	if err := file.Truncate(int64(os.Getpagesize())); err != nil {
		b.Fatal(err)
	}
	return file, mapServedBoard(file)
}

func mapServedBoard(file *os.File) *servedBoard {
	page, err := syscall.Mmap(int(file.Fd()), 0, os.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*servedBoard)(unsafe.Pointer(&page[0]))
}

// besideHeap copies items that point to nothing to memory that the collector does not count.
func besideHeap[T any](items []T) []T {
	size := len(items) * int(unsafe.Sizeof(items[0]))
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	beside := unsafe.Slice((*T)(unsafe.Pointer(&memory[0])), len(items))
	copy(beside, items)
	return beside
}

// servedCPUSet is a set of CPUs as the kernel has it.
type servedCPUSet [16]uint64

// servedCPUs are the last CPU that this process may use, and all others; the same one twice if there are no others.
func servedCPUs() (last, others servedCPUSet) {
	syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(others), uintptr(unsafe.Pointer(&others)))
	for cpu := 1023; cpu >= 0; cpu-- {
		if bit := uint64(1) << (cpu % 64); others[cpu/64]&bit != 0 {
			last[cpu/64] = bit
			break
		}
	}
	if others != last {
		for word := range others {
			others[word] &^= last[word]
		}
	}
	return last, others
}

// servedBind binds this thread to CPUs, and so the processes that it starts.
func servedBind(cpus servedCPUSet) {
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(cpus), uintptr(unsafe.Pointer(&cpus)))
}
