package trapline

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// plainOrder is an order as an extract job keeps it: 64 bytes that point to nothing.
type plainOrder struct {
	id, customer, product, quantity, cents, discount, placed, shipped uint64
}

// owningOrder points to its reference. A copy of it shares that, where a clone in Rust makes its own.
type owningOrder struct {
	id, customer, product, quantity, cents, placed uint64
	reference                                      string
}

// pushUnsized is the trap: it grows from nothing.
func pushUnsized[T any](records []T) []T {
	var kept []T
	for _, record := range records {
		kept = append(kept, record)
	}
	return kept
}

// pushPresized is the advice: it states the size first.
func pushPresized[T any](records []T) []T {
	kept := make([]T, 0, len(records))
	for _, record := range records {
		kept = append(kept, record)
	}
	return kept
}

// pushHalfSized is a cautious estimate, half of what comes: it grows once.
func pushHalfSized[T any](records []T) []T {
	kept := make([]T, 0, len(records)/2)
	for _, record := range records {
		kept = append(kept, record)
	}
	return kept
}

// pushReused appends to a slice that has been as large before.
func pushReused[T any](records, kept []T) []T {
	kept = kept[:0]
	for _, record := range records {
		kept = append(kept, record)
	}
	return kept
}

var vecGrowth = register(trap{
	name: "vec_growth",
	points: []point{
		{n: 100, threads: 1, name: "plain", headline: true},
		{n: 10_000, threads: 1, name: "plain"},
		{n: 50_000, threads: 1, name: "plain", headline: true},
		{n: 100_000, threads: 1, name: "plain"},
		{n: 100, threads: 1, name: "owning", headline: true},
		{n: 50_000, threads: 1, name: "owning", headline: true},
	},
	arms: []arm{
		{name: "push_unsized", role: "trap", build: growing(pushUnsized[plainOrder], pushUnsized[owningOrder])},
		{name: "push_presized", role: "fix", build: growing(pushPresized[plainOrder], pushPresized[owningOrder])},
		{name: "push_half_sized", role: "fix", build: growing(pushHalfSized[plainOrder], pushHalfSized[owningOrder])},
		{name: "push_reused", role: "fix", build: growing(reusing[plainOrder](), reusing[owningOrder]())},
	},
})

func BenchmarkVecGrowth(b *testing.B) {
	bench(b, vecGrowth)
}

func growing(plain func([]plainOrder) []plainOrder, owning func([]owningOrder) []owningOrder) func(point) *work {
	return func(p point) *work {
		if p.name == "plain" {
			return grow(plainOrders(p), plain, plainOrder.sum)
		}
		return grow(owningOrders(p), owning, owningOrder.sum)
	}
}

func grow[T any](input *[]T, push func([]T) []T, sum func(T) uint64) *work {
	records := *input
	run := func() uint64 { return uint64(len(push(records))) }
	answer := func() uint64 {
		kept := push(records)
		answer := uint64(len(kept))
		for _, record := range kept {
			answer += sum(record)
		}
		return answer
	}
	return &work{run: run, answer: answer, input: input}
}

func reusing[T any]() func([]T) []T {
	var kept []T
	return func(records []T) []T {
		kept = pushReused(records, kept)
		return kept
	}
}

var plainOrders = shared(func(p point) []plainOrder {
	r := newRng(1)
	orders := make([]plainOrder, p.n)
	for id := range orders {
		orders[id] = plainOrder{uint64(id), r.next(), r.next(), r.next(), r.next(), r.next(), r.next(), r.next()}
	}
	return orders
})

var owningOrders = shared(func(p point) []owningOrder {
	r := newRng(1)
	orders := make([]owningOrder, p.n)
	for id := range orders {
		orders[id] = owningOrder{uint64(id), r.next(), r.next(), r.next(), r.next(), r.next(), fmt.Sprintf("%016x", r.next())}
	}
	return orders
})

func (o plainOrder) sum() uint64 {
	return o.id + o.customer + o.product + o.quantity + o.cents + o.discount + o.placed + o.shipped
}

func (o owningOrder) sum() uint64 {
	return o.id + o.customer + o.product + o.quantity + o.cents + o.placed + textSum(o.reference)
}

// textSum is what a text adds to an answer of Rust's: its bytes, eight at a time, and an end.
func textSum(text string) uint64 {
	sum := uint64(0xFF)
	for at := 0; at < len(text); at += 8 {
		var word [8]byte
		copy(word[:], text[at:])
		sum += binary.NativeEndian.Uint64(word[:])
	}
	return sum
}
