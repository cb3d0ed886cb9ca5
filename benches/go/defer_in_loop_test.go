package trapline

import (
	"io"
	"math/bits"
	"os"
	"testing"
)

// A defer in a loop has no place in the frame. The compiler makes a closure of the call on the heap, and the runtime hangs it on
// a record in the goroutine's list; the list is run when the function returns. Records come from a pool of the processor, what
// that can't hold from one that all share under a lock, and the next collection empties the latter. In a function that defers
// once and not in a loop, the call is compiled in at the end (open-coded): no closure on the heap and no record.
// In what the twin differs: the language has the trap, and its list is the runtime's. A body is called through a function value,
// an empty one as well, where in Rust an empty body is no call. A call leaves nothing in registers, so that there is no floor
// with the ledger in registers. Deferred calls run in a panic; those of by_hand do not.

// deferLedger is what is taken and given back: a count of what is open, and a trace of what was released.
type deferLedger struct{ open, released uint64 }

func (l *deferLedger) acquire() {
	l.open++
}

// release is an exclusive or, for the trap releases in reverse.
func (l *deferLedger) release(item uint64) {
	l.released ^= item * 0x9E3779B97F4A7C15
	l.open--
}

// settle gives what was released since the last time, and what is still open, so that an arm that forgets one is found out.
func (l *deferLedger) settle() uint64 {
	sum := l.released + l.open
	l.released = 0
	return sum
}

// deferredInLoop is the trap: all releases wait for the end of the function, in a list.
func deferredInLoop(l *deferLedger, items []uint64, body func(uint64)) {
	for _, item := range items {
		l.acquire()
		defer l.release(item)
		body(item)
	}
}

// scopedGuard is the advice: a function a turn, whose defer runs at the end of the turn, also if the body panics.
func scopedGuard(l *deferLedger, items []uint64, body func(uint64)) {
	for _, item := range items {
		l.guarded(item, body)
	}
}

func (l *deferLedger) guarded(item uint64, body func(uint64)) {
	l.acquire()
	defer l.release(item)
	body(item)
}

// deferredGuards is half of the way: one defer, and a list of what it has to release. Everything is held until the end.
func deferredGuards(l *deferLedger, items []uint64, body func(uint64)) {
	var held []uint64
	defer func() {
		for _, item := range held {
			l.release(item)
		}
	}()
	for _, item := range items {
		l.acquire()
		held = append(held, item)
		body(item)
	}
}

// ledgerByHand gives back by hand. A body that panics leaves it open.
func ledgerByHand(l *deferLedger, items []uint64, body func(uint64)) {
	for _, item := range items {
		l.acquire()
		body(item)
		l.release(item)
	}
}

// filesInLoop is the trap with files: all are open until it returns.
func filesInLoop(path string, items []uint64, read func(*os.File, uint64)) {
	for _, item := range items {
		file := mustOpen(path)
		defer file.Close()
		read(file, item)
	}
}

// guardedFiles is the advice with files: each is closed at the end of its turn.
func guardedFiles(path string, items []uint64, read func(*os.File, uint64)) {
	for _, item := range items {
		func() {
			file := mustOpen(path)
			defer file.Close()
			read(file, item)
		}()
	}
}

// filesInList has one defer for all files, and holds as many as the trap.
func filesInList(path string, items []uint64, read func(*os.File, uint64)) {
	var files []*os.File
	defer func() {
		for _, file := range files {
			file.Close()
		}
	}()
	for _, item := range items {
		file := mustOpen(path)
		files = append(files, file)
		read(file, item)
	}
}

// filesByHand closes by hand.
func filesByHand(path string, items []uint64, read func(*os.File, uint64)) {
	for _, item := range items {
		file := mustOpen(path)
		read(file, item)
		file.Close()
	}
}

type (
	ledgerLoop func(*deferLedger, []uint64, func(uint64))
	fileLoop   func(string, []uint64, func(*os.File, uint64))
)

var deferInLoop = register(trap{
	name: "defer_in_loop",
	points: []point{
		{n: 10_000, threads: 1, name: "empty", headline: true},
		{n: 100_000, threads: 1, name: "empty", headline: true},
		{n: 100_000, threads: 1, name: "body=25ns", headline: true},
		{n: 512, threads: 1, name: "files"},
	},
	arms: []arm{
		{name: "deferred_in_loop", role: "trap", build: settling(deferredInLoop, filesInLoop)},
		{name: "scoped_guard", role: "fix", build: settling(scopedGuard, guardedFiles)},
		{name: "deferred_guards", role: "fix", build: settling(deferredGuards, filesInList)},
		{name: "by_hand", role: "fix", build: settling(ledgerByHand, filesByHand)},
	},
})

func BenchmarkDeferInLoop(b *testing.B) {
	bench(b, deferInLoop)
}

// settling is an arm. Its loop is called through a function value, so that it is not inlined into the lab's.
func settling(loop ledgerLoop, files fileLoop) func(point) *work {
	return func(p point) *work {
		all := ledgerItems(p)
		items := newWindows(*all, p.n)
		if p.name == "files" {
			return reading(files, all, items)
		}
		var ledger deferLedger
		body := func(uint64) {}
		if p.name == "body=25ns" {
			own := turns{steps: 25 * stepsPerMicrosecond / 1000}
			body = own.take
		}
		return &work{input: all, run: func() uint64 {
			loop(&ledger, items.next(), body)
			return ledger.settle()
		}}
	}
}

// reading is an arm with files. It counts what is open in the last turn, after the clock.
func reading(files fileLoop, all *[]uint64, items *windows[uint64]) *work {
	path := tenBytes()
	run := func() uint64 {
		var sum fileSum
		files(path, items.next(), sum.read)
		return uint64(sum)
	}
	measure := func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink += run()
		}
		b.ReportMetric(float64(openAtLast(files, path, items.next())), "open-files")
	}
	return &work{run: run, input: all, measure: measure, end: func() { os.Remove(path) }}
}

// openAtLast tells how many files the last turn of a loop finds open, its own among them.
func openAtLast(files fileLoop, path string, items []uint64) int {
	before, most, turn := openFiles(), 0, 0
	files(path, items, func(*os.File, uint64) {
		if turn++; turn == len(items) {
			most = openFiles() - before
		}
	})
	return most
}

// openFiles counts this process's open files, and the one that it opens to count them.
func openFiles() int {
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		panic(err)
	}
	return len(open)
}

// ledgerItems are what each run takes and gives back.
var ledgerItems = shared(func(p point) []uint64 {
	r := newRng(34)
	items := make([]uint64, max(pool/p.n, 1)*p.n)
	for at := range items {
		items[at] = r.next()
	}
	return items
})

// fileSum is made of each item and of what was read for it.
type fileSum uint64

func (s *fileSum) read(file *os.File, item uint64) {
	var text [10]byte
	if _, err := io.ReadFull(file, text[:]); err != nil {
		panic(err)
	}
	sum := uint64(*s) ^ item
	for _, char := range text {
		sum = bits.RotateLeft64(sum, 8) + uint64(char)
	}
	*s = fileSum(sum)
}

// mustOpen needs 600 files to be allowed at once (ulimit -n).
func mustOpen(path string) *os.File {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	return file
}

// tenBytes makes a file of ten bytes.
func tenBytes() string {
	file, err := os.CreateTemp("", "trapline")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := file.WriteString("0123456789"); err != nil {
		panic(err)
	}
	return file.Name()
}
