package trapline

import (
	"math/bits"
	"testing"
	"weak"
)

// The inputs: the same seed, the same generator and the same draws as in src/workload.rs, so that both languages do the same work.

const seed = 0x7261706C696E6531

// pool is how many elements a small point draws from: a loop over fewer random ones is learnt by the branch predictor.
const pool = 1 << 17

// rng is WyRand with the constants of wyhash 4.2, bit by bit what src/workload/random.rs has.
type rng uint64

// newRng is the generator for one input.
func newRng(stream uint64) *rng {
	r := rng(seed ^ stream*0x9E3779B97F4A7C15)
	return &r
}

func (r *rng) next() uint64 {
	*r += 0x2D358DCCAA6C78A5
	high, low := bits.Mul64(uint64(*r), uint64(*r)^0x8BB84B93962EACC9)
	return high ^ low
}

// below gives a number below n, each as likely as any other: Lemire's method.
func (r *rng) below(n uint64) uint64 {
	for few := -n % n; ; {
		if high, low := bits.Mul64(r.next(), n); low >= few {
			return high
		}
	}
}

// within gives a number of low to high, without high.
func (r *rng) within(low, high uint64) uint64 {
	return low + r.below(high-low)
}

// letter gives one of a to z.
func (r *rng) letter() byte {
	return 'a' + byte(r.below(26))
}

// shuffle brings items into a random order.
func shuffle[T any](r *rng, items []T) {
	for at := 1; at < len(items); at++ {
		other := r.below(uint64(at) + 1)
		items[at], items[other] = items[other], items[at]
	}
}

// ownWork is a dependent chain of so many multiplications: own work of a fixed count.
//
//go:noinline
func ownWork(steps int, seed uint64) uint64 {
	x := seed | 1
	for range steps {
		x = (x ^ x>>29) * 0xBF58476D1CE4E5B9
	}
	return x
}

// stepsPerMicrosecond are the steps of ownWork that take about a microsecond on a core of 3 GHz.
const stepsPerMicrosecond = 600

// turns is own work in turns, each of which waits for the one before. With no steps a turn is nothing.
type turns struct {
	steps int
	last  uint64
}

func (t *turns) take(seed uint64) {
	if t.steps > 0 {
		t.last = ownWork(t.steps, seed^t.last)
	}
}

// windows are elements from which each run takes the next n, round and round. Elements that do not fill a last window are never
// seen.
type windows[T any] struct {
	items []T
	n     int
	at    int
}

func newWindows[T any](items []T, n int) *windows[T] {
	return &windows[T]{items: items, n: n}
}

func (w *windows[T]) next() []T {
	if w.at+w.n > len(w.items) {
		w.at = 0
	}
	window := w.items[w.at : w.at+w.n]
	w.at += w.n
	return window
}

// shared makes the input of a point once for all arms that are alive together: they read one object. Each of them keeps it, as the
// input of its work, and nobody else does.
func shared[T any](build func(p point) T) func(p point) *T {
	var last point
	var made weak.Pointer[T]
	return func(p point) *T {
		if input := made.Value(); input != nil && p == last {
			return input
		}
		input := new(T)
		*input = build(p)
		last, made = p, weak.Make(input)
		return input
	}
}

func TestTheFirstNumbersAreThoseOfRust(t *testing.T) {
	r := rng(42)
	got := [...]uint64{r.next(), r.next(), r.next(), r.below(10), r.below(1 << 40), r.within(100, 107)}
	want := [...]uint64{0xCA71D87C76983989, 0x7E5BA61552085FC6, 0xCDF101E3BAB88B9F, 0, 595938099549, 103}
	if got != want {
		t.Errorf("%x, and not %x as in src/workload/random.rs", got, want)
	}
}
