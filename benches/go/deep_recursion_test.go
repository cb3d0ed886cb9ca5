package trapline

import (
	"math"
	"math/bits"
	"runtime"
	"slices"
	"testing"
)

// A goroutine starts on a small stack: 2 KiB, or what goroutines used on average at the last collection. A function that finds
// too little left calls the runtime, which allocates twice the size, copies the stack and walks all its frames to correct the
// pointers into it; the old one is freed. A stack that has grown is kept until the goroutine ends, or until collections find that
// less than a quarter of it is used: each halves it.
// In what the twin differs: there is no call to size a stack, so that a case's stack is only a name that rows share with Rust.
// Each run begins on a new goroutine, and to start it and to wait for its answer is in the clock; kept_goroutine, in the place of
// sized_thread, hands each run to a goroutine that has been as deep before.

// chainNode is a node of a tree that lies in one array: a child further down, and a leaf beside it.
type chainNode struct {
	value       uint64
	child, leaf uint32
}

// noChainNode is the index of no node: the child of the last level and of a leaf.
const noChainNode = math.MaxUint32

// chainBottom is what is below the last level.
const chainBottom uint64 = 0x0061746572736B69

// hash is that of a node from that of its child. It can't be reordered: no compiler makes a loop of the recursion.
func (n *chainNode) hash(below uint64, nodes []chainNode) uint64 {
	return (bits.RotateLeft64(below, 5) ^ nodes[n.leaf].value ^ n.value) * 0x9E3779B97F4A7C15
}

// grown is the trap: it calls itself once a level, on a stack that doubles and is copied on the way down.
func grown(nodes []chainNode, at uint32) uint64 {
	if at == noChainNode {
		return chainBottom
	}
	node := &nodes[at]
	return node.hash(grown(nodes, node.child), nodes)
}

// explicitStack is the advice: the way down is kept in a slice, and walked back.
func explicitStack(nodes []chainNode, at uint32) uint64 {
	var path []uint32
	for at != noChainNode {
		path = append(path, at)
		at = nodes[at].child
	}
	below := chainBottom
	for _, at := range slices.Backward(path) {
		below = nodes[at].hash(below, nodes)
	}
	return below
}

// inPlace is the floor: children lie behind their parents, so that the array itself is the way back.
func inPlace(nodes []chainNode, _ uint32) uint64 {
	below := chainBottom
	for _, node := range slices.Backward(nodes) {
		if node.leaf != noChainNode {
			below = node.hash(below, nodes)
		}
	}
	return below
}

// onNewGoroutine has the stack grow anew in each call.
func onNewGoroutine(hash func() uint64) uint64 {
	sums := make(chan uint64)
	go func() { sums <- hash() }()
	return <-sums
}

// keptGoroutine takes one call after another, so that it finds the stack of the deepest since the last collection.
type keptGoroutine struct {
	calls chan func() uint64
	sums  chan uint64
}

func newKeptGoroutine() *keptGoroutine {
	kept := &keptGoroutine{make(chan func() uint64), make(chan uint64)}
	go func() {
		for hash := range kept.calls {
			kept.sums <- hash()
		}
	}()
	return kept
}

func (k *keptGoroutine) call(hash func() uint64) uint64 {
	k.calls <- hash
	return <-k.sums
}

var deepRecursion = register(trap{
	name: "deep_recursion",
	points: []point{
		{n: 100, threads: 1, name: "stack=2MiB"},
		{n: 10_000, threads: 1, name: "stack=2MiB"},
		{n: 100_000, threads: 1, name: "stack=2MiB", headline: true},
		{n: 10_000, threads: 1, name: "stack=64KiB", headline: true},
	},
	arms: []arm{
		{name: "grown", role: "trap", build: newGoroutines(grown)},
		{name: "explicit_stack", role: "fix", build: newGoroutines(explicitStack)},
		{name: "kept_goroutine", role: "fix", build: oneGoroutine},
		{name: "in_place", role: "floor", build: newGoroutines(inPlace)},
	},
})

func BenchmarkDeepRecursion(b *testing.B) {
	bench(b, deepRecursion)
}

func newGoroutines(hash func([]chainNode, uint32) uint64) func(point) *work {
	return func(p point) *work {
		return hashing(p, onNewGoroutine, hash)
	}
}

func oneGoroutine(p point) *work {
	kept := newKeptGoroutine()
	w := hashing(p, kept.call, grown)
	w.end = func() { close(kept.calls) }
	return w
}

// hashing is an arm. At one of the two points of a depth that differ by name only it tells how much stack a run takes.
func hashing(p point, on func(func() uint64) uint64, hash func([]chainNode, uint32) uint64) *work {
	input := chain(p)
	nodes := *input
	whole := func() uint64 { return hash(nodes, 0) }
	w := &work{run: func() uint64 { return on(whole) }, input: input}
	if p.n == 10_000 && p.name == "stack=2MiB" {
		w.measure = func(b *testing.B) {
			stacks := stacksAfter(on, whole)
			b.ReportAllocs()
			for b.Loop() {
				sink += w.run()
			}
			b.ReportMetric(stacks, "stack-bytes")
		}
	}
	return w
}

// stacksAfter tells by how much a call has let all stacks grow. It looks before the goroutine ends, and its stack with it.
func stacksAfter(on func(func() uint64) uint64, hash func() uint64) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sink += on(func() uint64 {
		sum := hash()
		runtime.ReadMemStats(&after)
		return sum
	})
	return max(float64(after.StackInuse)-float64(before.StackInuse), 0)
}

// chain has each level's node, then its leaf, then the next level.
var chain = shared(func(p point) []chainNode {
	r := newRng(36)
	var nodes []chainNode
	for level := range uint32(p.n) {
		child := 2*level + 2
		if level+1 == uint32(p.n) {
			child = noChainNode
		}
		nodes = append(nodes, chainNode{r.next(), child, 2*level + 1}, chainNode{r.next(), noChainNode, noChainNode})
	}
	return nodes
})
