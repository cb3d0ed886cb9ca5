package trapline

import (
	"maps"
	"math/bits"
	"testing"
)

// A range over a map calls the runtime for each entry. It goes on to the next taken place of the table, by one control byte where
// that is the very next place and else by those of a group of 8, and asks whether the map is written to or has grown meanwhile.
// Each walk begins at a random place. Removals make no table smaller: a walk still goes through all of it, and the way to a
// smaller one is a copy.
// In what the twin differs: the hash is Go's own, with a random seed for each map. There is no btree_map, for the standard library
// has no ordered map. A copied map takes the place of shrink_to_fit, and is left out where a map is full. The index map is written
// here; in Rust an entry of it holds its hash as well. Go does not vectorise the loop over a slice.

// walkedPair is a key and its value.
type walkedPair struct{ key, value uint64 }

// hashMap is the trap: through the table, taken places and holes. Given a map that was copied, the same loop is a fix.
func hashMap(m map[uint64]uint64) uint64 {
	sum := uint64(0)
	for key, value := range m {
		sum += key ^ bits.RotateLeft64(value, 17)
	}
	return sum
}

// indexMap is the advice: through a slice of entries, beside which lies the table.
func indexMap(m *indexedMap) uint64 {
	sum := uint64(0)
	for _, entry := range m.entries {
		sum += entry.key ^ bits.RotateLeft64(entry.value, 17)
	}
	return sum
}

// shrunk copies what is left into a map that is as large as that needs.
func shrunk(m map[uint64]uint64) map[uint64]uint64 {
	small := make(map[uint64]uint64, len(m))
	for key, value := range m {
		small[key] = value
	}
	return small
}

// vecOfPairs is the floor: the entries and nothing else.
func vecOfPairs(pairs []walkedPair) uint64 {
	sum := uint64(0)
	for _, pair := range pairs {
		sum += pair.key ^ bits.RotateLeft64(pair.value, 17)
	}
	return sum
}

// indexedMap keeps its entries in a slice, and beside it where each key's entry is.
type indexedMap struct {
	entries []walkedPair
	at      map[uint64]int
}

func newIndexedMap(size int) *indexedMap {
	return &indexedMap{make([]walkedPair, 0, size), make(map[uint64]int, size)}
}

func (m *indexedMap) set(key, value uint64) {
	if at, ok := m.at[key]; ok {
		m.entries[at].value = value
		return
	}
	m.at[key] = len(m.entries)
	m.entries = append(m.entries, walkedPair{key, value})
}

// remove moves the last entry into the hole, so that the entries stay without holes.
func (m *indexedMap) remove(key uint64) {
	at, ok := m.at[key]
	if !ok {
		return
	}
	last := m.entries[len(m.entries)-1]
	m.entries[at], m.at[last.key] = last, at
	m.entries = m.entries[:len(m.entries)-1]
	delete(m.at, key)
}

// hashMapWorking is the trap where each visit does 20 ns of work. The sum holds what was visited, for it is to know no order.
func hashMapWorking(m map[uint64]uint64) uint64 {
	sum, work := uint64(0), turns{steps: 20 * stepsPerMicrosecond / 1000}
	for key, value := range m {
		mixed := key ^ bits.RotateLeft64(value, 17)
		work.take(mixed)
		sum += mixed
	}
	return sum
}

// indexMapWorking is the advice where each visit does 20 ns of work.
func indexMapWorking(m *indexedMap) uint64 {
	sum, work := uint64(0), turns{steps: 20 * stepsPerMicrosecond / 1000}
	for _, entry := range m.entries {
		mixed := entry.key ^ bits.RotateLeft64(entry.value, 17)
		work.take(mixed)
		sum += mixed
	}
	return sum
}

var mapIteration = register(trap{
	name: "map_iteration",
	points: []point{
		{n: 100_000, threads: 1, name: "full", headline: true},
		{n: 10_000, threads: 1, name: "removed=90", headline: true},
		{n: 10_000, threads: 1, name: "full,work=20ns"},
	},
	arms: []arm{
		{name: "hash_map", role: "trap", build: walking(sweptMap, hashMap, hashMapWorking)},
		{name: "index_map", role: "fix", build: walking(sweptIndexedMap, indexMap, indexMapWorking)},
		{name: "shrunk", role: "fix", build: walkingShrunk},
		{name: "vec_of_pairs", role: "floor", build: walking(sweptPairs, vecOfPairs, nil)},
	},
})

func BenchmarkMapIteration(b *testing.B) {
	bench(b, mapIteration)
}

// walking is an arm whose maps are filled and swept outside the clock. Each run walks the next of them.
func walking[M any](swept func([]walkedPair) M, plain, working func(M) uint64) func(point) *work {
	return func(p point) *work {
		walk := plain
		if p.name == "full,work=20ns" {
			walk = working
		}
		if walk == nil {
			return nil
		}
		var filled []M
		for _, pairs := range pairsOfMaps(p) {
			filled = append(filled, swept(pairs))
		}
		each := newWindows(filled, 1)
		return &work{run: func() uint64 { return walk(each.next()[0]) }}
	}
}

func walkingShrunk(p point) *work {
	if p.name != "removed=90" {
		return nil // a full map has nothing to shrink
	}
	small := func(pairs []walkedPair) map[uint64]uint64 { return shrunk(sweptMap(pairs)) }
	return walking(small, hashMap, hashMapWorking)(p)
}

// walkedEntries is how many entries the maps of a point are filled with, all together, if one alone takes no more: a small map
// that is walked over and over would lie in the nearest cache.
const walkedEntries = 50_000

// pairsOfMaps is what the maps of a point are filled with, map by map. In removed=90 a random tenth stays, so that the holes
// are scattered.
func pairsOfMaps(p point) [][]walkedPair {
	r, which := newRng(32), newRng(33)
	filled := p.n
	if p.name == "removed=90" {
		filled = 10 * p.n
	}
	all := make([][]walkedPair, max(walkedEntries/filled, 1))
	for m := range all {
		stay := make([]uint64, filled)
		for at := range p.n {
			stay[at] = 1
		}
		shuffle(which, stay)
		for _, stays := range stay {
			all[m] = append(all[m], walkedPair{r.next(), r.next()&^1 | stays})
		}
	}
	return all
}

// goes tells whether a pair is removed again: the value's lowest bit says so.
func (pair walkedPair) goes() bool {
	return pair.value&1 == 0
}

func sweptMap(pairs []walkedPair) map[uint64]uint64 {
	m := make(map[uint64]uint64, len(pairs))
	for _, pair := range pairs {
		m[pair.key] = pair.value
	}
	maps.DeleteFunc(m, func(key, value uint64) bool { return walkedPair{key, value}.goes() })
	return m
}

func sweptIndexedMap(pairs []walkedPair) *indexedMap {
	m := newIndexedMap(len(pairs))
	for _, pair := range pairs {
		m.set(pair.key, pair.value)
	}
	for _, pair := range pairs {
		if pair.goes() {
			m.remove(pair.key)
		}
	}
	return m
}

func sweptPairs(pairs []walkedPair) []walkedPair {
	var kept []walkedPair
	for _, pair := range pairs {
		if !pair.goes() {
			kept = append(kept, pair)
		}
	}
	return kept
}
