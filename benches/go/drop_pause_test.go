//go:build linux

package trapline

import (
	"encoding/binary"
	"math/bits"
	"runtime"
	"testing"
	"time"
)

// Nobody frees a tree here: it is garbage when its request is answered, and the collector finds that out beside other requests,
// or makes them help it. Rust frees it within its own request. A node takes 48 bytes, the size class above its 40. Almost nothing
// lives in the server, so that not GOGC but the least heap of 4 MB says when it is collected. An arena is written by hand, as
// Go's are an experiment; its chunks are garbage as well, only fewer. GOGC=off never collects: it takes new pages from the system
// for all that it allocates. Its requests come from another process, see served_test.go, where Rust paces them in its own.

// docNode heads a part of a document: the value in its middle, where that stands, and how many values there are.
type docNode struct {
	value, at, size uint64
	before, behind  *docNode
}

// boxedTree is the trap: each node is an object of its own, garbage as soon as the request is answered.
func boxedTree(doc []uint64, at uint64) *docNode {
	if len(doc) == 0 {
		return nil
	}
	middle := len(doc) / 2
	here := at + uint64(middle)
	return &docNode{
		doc[middle], here, uint64(len(doc)),
		boxedTree(doc[:middle], at), boxedTree(doc[middle+1:], here+1),
	}
}

// docArena hands out nodes of chunks, each twice as large as the one before. A chunk lives as long as one of its nodes does.
type docArena struct {
	chunk []docNode
}

// place is the advice: one object for many nodes.
func (a *docArena) place(node docNode) *docNode {
	if len(a.chunk) == cap(a.chunk) {
		a.chunk = make([]docNode, 0, max(16, 2*cap(a.chunk)))
	}
	a.chunk = append(a.chunk, node)
	return &a.chunk[len(a.chunk)-1]
}

// tree builds what boxedTree does.
func (a *docArena) tree(doc []uint64, at uint64) *docNode {
	if len(doc) == 0 {
		return nil
	}
	middle := len(doc) / 2
	here := at + uint64(middle)
	before, behind := a.tree(doc[:middle], at), a.tree(doc[middle+1:], here+1)
	return a.place(docNode{doc[middle], here, uint64(len(doc)), before, behind})
}

// reset makes room for the next request in the newest chunk, the largest: for who keeps the arena.
func (a *docArena) reset() {
	a.chunk = a.chunk[:0]
}

// foldDoc is what a request asks of a tree.
func foldDoc(tree *docNode) uint64 {
	if tree == nil {
		return 0
	}
	return joinDoc(tree.value, tree.at, tree.size, foldDoc(tree.before), foldDoc(tree.behind))
}

func joinDoc(value, at, size, before, behind uint64) uint64 {
	own := value ^ bits.RotateLeft64(at, 32)
	return (bits.RotateLeft64(before, 7) + (behind ^ own)) * (2*size + 1)
}

// indexedDocNode links by places in a list, so that the collector has nothing to follow.
type indexedDocNode struct {
	value, at, size uint64
	before, behind  uint32
}

// noDocNode is a link to nothing.
const noDocNode = ^uint32(0)

// indexedTree appends the nodes of a tree to a list, and gives the place of the one that heads it.
func indexedTree(nodes *[]indexedDocNode, doc []uint64, at uint64) uint32 {
	if len(doc) == 0 {
		return noDocNode
	}
	middle := len(doc) / 2
	here := at + uint64(middle)
	before, behind := indexedTree(nodes, doc[:middle], at), indexedTree(nodes, doc[middle+1:], here+1)
	*nodes = append(*nodes, indexedDocNode{doc[middle], here, uint64(len(doc)), before, behind})
	return uint32(len(*nodes) - 1)
}

func foldIndexedDoc(nodes []indexedDocNode, tree uint32) uint64 {
	if tree == noDocNode {
		return 0
	}
	n := &nodes[tree]
	return joinDoc(n.value, n.at, n.size, foldIndexedDoc(nodes, n.before), foldIndexedDoc(nodes, n.behind))
}

// respondDoc makes a response of 4 KiB, as services do, and writes it to somebody whom the compiler can't see.
func respondDoc(answer uint64) uint64 {
	body := make([]byte, 0, 4096)
	return writeDoc(binary.LittleEndian.AppendUint64(body, answer))
}

var writeDoc = func(body []byte) uint64 { return binary.LittleEndian.Uint64(body) }

var dropPause = register(trap{
	name: "drop_pause",
	points: []point{
		{n: 1_000, threads: 1, headline: true},
		{n: 10_000, threads: 1, headline: true}, // one each 50 µs
	},
	arms: []arm{
		{name: "boxed_tree", role: "trap", build: droppingAnywhere("boxed_tree")},
		{name: "bump_arena", role: "fix", build: droppingAnywhere("bump_arena")},
		{name: "indexed_vec", role: "fix", build: droppingUnpaced("indexed_vec")},
		{name: "gogc_off", role: "fix", build: droppingNever},
		{name: "arena_kept", role: "floor", build: droppingUnpaced("arena_kept")},
	},
})

func BenchmarkDropPause(b *testing.B) {
	bench(b, dropPause)
}

// docRequests are ways to serve a document.
var docRequests = map[string]func() func(doc []uint64) uint64{
	"boxed_tree": func() func([]uint64) uint64 {
		return func(doc []uint64) uint64 { return respondDoc(foldDoc(boxedTree(doc, 0))) }
	},
	"bump_arena": func() func([]uint64) uint64 {
		return func(doc []uint64) uint64 {
			var arena docArena
			return respondDoc(foldDoc(arena.tree(doc, 0)))
		}
	},
	"indexed_vec": func() func([]uint64) uint64 {
		return func(doc []uint64) uint64 {
			nodes := make([]indexedDocNode, 0, len(doc))
			tree := indexedTree(&nodes, doc, 0)
			return respondDoc(foldIndexedDoc(nodes, tree))
		}
	},
	"arena_kept": func() func([]uint64) uint64 {
		var arena docArena
		return func(doc []uint64) uint64 {
			defer arena.reset()
			return respondDoc(foldDoc(arena.tree(doc, 0)))
		}
	},
}

func droppingAnywhere(name string) func(point) *work {
	return func(p point) *work {
		if p.n == 10_000 {
			return droppingPaced(p, name, "100")
		}
		return droppingUnpaced(name)(p)
	}
}

func droppingUnpaced(name string) func(point) *work {
	return func(p point) *work {
		if p.n == 10_000 {
			return nil
		}
		load := docLoads(p)
		upcoming, serve := newWindows(load.requests, p.n), docRequests[name]()
		return &work{run: func() uint64 { return serveDocs(load.values, upcoming.next(), serve) }, input: load}
	}
}

func droppingNever(p point) *work {
	if p.n != 10_000 {
		return nil
	}
	return droppingPaced(p, "boxed_tree", "off")
}

// droppingPaced is a server that serves in a way, collected as GOGC says.
func droppingPaced(p point, name, gogc string) *work {
	load := servedLoad{
		role: "drop_pause", arm: name, p: p, settings: []string{"GOGC=" + gogc},
		n: p.n, every: 50 * time.Microsecond, after: 1_000, op: p.n,
	}
	answer := func() uint64 {
		load := docLoads(p)
		return serveDocs(load.values, load.requests[:1_000], docRequests[name]())
	}
	return &work{measure: load.measure, answer: answer}
}

func init() {
	roles["drop_pause"] = serveDropPause
}

// serveDropPause is the server. It has answered some requests, and what they left is collected, before the first comes.
func serveDropPause(arm string, p point) {
	load := docLoads(p)
	values, requests := besideHeap(load.values), besideHeap(load.requests)
	serve, at := docRequests[arm](), 0
	next := func() uint64 {
		r := requests[at%len(requests)]
		at++
		return serve(values[r.from:][:r.size])
	}
	for range len(requests) / 10 {
		sink += next()
	}
	runtime.GC()
	at = 0
	serveBoard(next)
}

// docRequest is a document to build a tree of: so many values from there on.
type docRequest struct {
	from, size uint32
}

func serveDocs(values []uint64, requests []docRequest, serve func([]uint64) uint64) uint64 {
	var sum uint64
	for _, r := range requests {
		sum += serve(values[r.from:][:r.size])
	}
	return sum
}

// docLoad is what all arms read.
type docLoad struct {
	values   []uint64
	requests []docRequest
}

// docLoads are values, and requests for parts of them: 98 % of 100 values and 2 % of 5 000, so that the p99 is among the big
// ones. One of each fifty is big, at a random place among them.
var docLoads = shared(func(p point) docLoad {
	const small, big, oneIn = 100, 5_000, 50
	r := newRng(41)
	values := make([]uint64, pool)
	for at := range values {
		values[at] = r.next()
	}
	whole := max(10_000/p.n, 1) * p.n
	var requests []docRequest
	for len(requests) < whole {
		chosen := r.below(oneIn)
		for at := range uint64(oneIn) {
			request := docRequest{uint32(r.below(pool - big)), small}
			if at == chosen {
				request.size = big
			}
			requests = append(requests, request)
		}
	}
	return docLoad{values, requests[:whole]}
})
