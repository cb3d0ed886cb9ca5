package trapline

import (
	"cmp"
	"slices"
	"testing"
)

// A feeRule is what a payment costs its sender. An interface is two words, one to a table of methods and one to the value, which
// is stored behind a pointer. What is called through it is not inlined, unless the compiler is given a profile (PGO), and it is
// given none here.
//
// The twin differs in three points. The boxes are asked for by &, for Go would keep a single word below 256 in a table of its own.
// The allocator packs two boxes of 8 bytes into one block of 16, where malloc has a larger block for each. And Go has no enum:
// enum_kinds is a struct with a kind, whose switch compiles to comparisons, not to a jump table as in Rust (seen with Go 1.27).
type feeRule interface {
	fee(amount uint64) uint64
}

// freeFee charges nothing.
type freeFee struct{}

// flatFee is the same for every amount.
type flatFee struct{ flat uint64 }

// rateFee is a share of the amount, in units of 1/16384.
type rateFee struct{ rate uint64 }

// flatAndRateFee is both.
type flatAndRateFee struct{ flat, rate uint64 }

func (freeFee) fee(uint64) uint64                 { return 0 }
func (f flatFee) fee(uint64) uint64               { return f.flat }
func (f rateFee) fee(amount uint64) uint64        { return amount * f.rate >> 14 }
func (f flatAndRateFee) fee(amount uint64) uint64 { return f.flat + amount*f.rate>>14 }

// feeKind says which of the four a kindFee is.
type feeKind uint64

const (
	kindFree feeKind = iota
	kindFlat
	kindRate
	kindFlatAndRate
)

// kindFee is any of the four, in line: what Go has for an enum. What its kind does not use is 0.
type kindFee struct {
	kind       feeKind
	flat, rate uint64
}

func (f kindFee) fee(amount uint64) uint64 {
	switch f.kind {
	case kindFlat:
		return f.flat
	case kindRate:
		return amount * f.rate >> 14
	case kindFlatAndRate:
		return f.flat + amount*f.rate>>14
	}
	return 0
}

func (f kindFee) boxed() feeRule {
	switch f.kind {
	case kindFlat:
		return &flatFee{f.flat}
	case kindRate:
		return &rateFee{f.rate}
	case kindFlatAndRate:
		return &flatAndRateFee{f.flat, f.rate}
	}
	return &freeFee{}
}

// feesByKind is the open set taken apart: a slice for each kind.
type feesByKind struct {
	free        []freeFee
	flat        []flatFee
	rate        []rateFee
	flatAndRate []flatAndRateFee
}

// sumBoxed is the trap: a dynamic call an element. Given boxes that are grouped by kind, the same loop is a fix.
func sumBoxed(rules []feeRule, amount uint64) (sum uint64) {
	for _, rule := range rules {
		sum += rule.fee(amount)
	}
	return sum
}

// sumKinds is the advice: the values are in line, and the method is inlined.
func sumKinds(rules []kindFee, amount uint64) (sum uint64) {
	for _, rule := range rules {
		sum += rule.fee(amount)
	}
	return sum
}

// sumGeneric looks as if its method were known, and calls it through a dictionary: Go compiles one body for all types of one
// shape.
func sumGeneric[R feeRule](rules []R, amount uint64) (sum uint64) {
	for _, rule := range rules {
		sum += rule.fee(amount)
	}
	return sum
}

// sumGenericByKind is a loop a kind, with the call that sumGeneric keeps.
func sumGenericByKind(kinds *feesByKind, amount uint64) uint64 {
	return sumGeneric(kinds.free, amount) + sumGeneric(kinds.flat, amount) +
		sumGeneric(kinds.rate, amount) + sumGeneric(kinds.flatAndRate, amount)
}

// sumByKind is the floor: a loop a kind, and no dispatch left.
func sumByKind(kinds *feesByKind, amount uint64) (sum uint64) {
	for _, rule := range kinds.free {
		sum += rule.fee(amount)
	}
	for _, rule := range kinds.flat {
		sum += rule.fee(amount)
	}
	for _, rule := range kinds.rate {
		sum += rule.fee(amount)
	}
	for _, rule := range kinds.flatAndRate {
		sum += rule.fee(amount)
	}
	return sum
}

var boxedTrait = register(trap{
	name: "boxed_trait",
	points: []point{
		{n: 100_000, threads: 1, name: "sequential", headline: true},
		{n: 100_000, threads: 1, name: "shuffled", headline: true},
	},
	arms: []arm{
		{name: "boxed_dyn", role: "trap", build: func(p point) *work { all := feesOf(p); return feeSums(p, all, all.boxes, sumBoxed) }},
		{name: "enum_kinds", role: "fix", build: func(p point) *work { all := feesOf(p); return feeSums(p, all, all.kinds, sumKinds) }},
		{name: "boxed_sorted", role: "fix", build: func(p point) *work { all := feesOf(p); return feeSums(p, all, all.sorted, sumBoxed) }},
		{name: "generic_a_kind", role: "fix", build: func(p point) *work { return feeSumsByKind(p, sumGenericByKind) }},
		{name: "vec_a_kind", role: "floor", build: func(p point) *work { return feeSumsByKind(p, sumByKind) }},
	},
})

func BenchmarkBoxedTrait(b *testing.B) {
	bench(b, boxedTrait)
}

// feeSums sums up the next window in each run.
func feeSums[R any](p point, all *feeBooks, rules []R, sum func([]R, uint64) uint64) *work {
	next, amount := newWindows(rules, p.n), all.amount
	return &work{run: func() uint64 { return sum(next.next(), amount) }, input: all}
}

func feeSumsByKind(p point, sum func(*feesByKind, uint64) uint64) *work {
	all := feesOf(p)
	next, amount := newWindows(all.byKind, 1), all.amount
	return &work{run: func() uint64 { return sum(&next.next()[0], amount) }, input: all}
}

// feeBooks are what all arms read at a point. The amount lies beside the rules, so that the compiler can't know it.
type feeBooks struct {
	kinds  []kindFee
	boxes  []feeRule
	sorted []feeRule
	byKind []feesByKind
	amount uint64
}

// feesOf makes them. Each window is sorted by itself, so that it holds what the others' window holds.
var feesOf = shared(func(p point) feeBooks {
	kinds := randomFees(p.n)
	books := feeBooks{kinds: kinds, boxes: feeBoxes(p, kinds), amount: 1_234_567}
	sorted := slices.Clone(kinds)
	for window := range slices.Chunk(sorted, p.n) {
		slices.SortFunc(window, compareFees)
		books.byKind = append(books.byKind, groupFees(window))
	}
	books.sorted = feeBoxes(p, sorted)
	return books
})

// randomFees are whole windows of random kinds, each as likely as any other.
func randomFees(n int) []kindFee {
	r := newRng(2)
	fees := make([]kindFee, max(pool/n, 1)*n)
	for at := range fees {
		flat, rate := r.within(1, 500), r.within(1, 1_000)
		kinds := [...]kindFee{{kindRate, 0, rate}, {kindFree, 0, 0}, {kindFlat, flat, 0}, {kindFlatAndRate, flat, rate}}
		fees[at] = kinds[r.below(4)]
	}
	return fees
}

// feeBoxes are boxes in the order of fees, allocated in that order or in a shuffled one.
func feeBoxes(p point, fees []kindFee) []feeRule {
	order := make([]int, len(fees))
	for at := range order {
		order[at] = at
	}
	if p.name == "shuffled" {
		shuffle(newRng(3), order)
	}
	boxes := make([]feeRule, len(fees))
	for _, at := range order {
		boxes[at] = fees[at].boxed()
	}
	return boxes
}

func compareFees(a, b kindFee) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.flat, b.flat), cmp.Compare(a.rate, b.rate))
}

func groupFees(fees []kindFee) (kinds feesByKind) {
	for _, f := range fees {
		switch f.kind {
		case kindFree:
			kinds.free = append(kinds.free, freeFee{})
		case kindFlat:
			kinds.flat = append(kinds.flat, flatFee{f.flat})
		case kindRate:
			kinds.rate = append(kinds.rate, rateFee{f.rate})
		case kindFlatAndRate:
			kinds.flatAndRate = append(kinds.flatAndRate, flatAndRateFee{f.flat, f.rate})
		}
	}
	return kinds
}
