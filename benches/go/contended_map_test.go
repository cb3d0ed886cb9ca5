package trapline

import (
	"sync"
	"sync/atomic"
	"testing"
)

// Go's Mutex is a compare-and-swap when it is free. A goroutine that waits spins a little, if another P is busy meanwhile, and then
// gives its thread to another goroutine; after a millisecond of waiting the lock goes to waiters in order, which std's never does. The
// twin differs: shards are picked by a multiplication where Rust's hash a second time; sync.Map is a trie whose keys are of type any,
// hashed and compared through their type, and it keeps pointers to atomic counters, so that an addition does not write to the map;
// goroutines are not pinned, and of eight each does a fixed number of runs, so that the last ones may be alone. An addition to a key
// that is not there begins it at 1, as m[key]++ does.

// contendedMap is counters by key that many goroutines look up and count on.
type contendedMap interface {
	get(key uint64) (count uint64, ok bool)
	add(key uint64) (count uint64)
}

// stdMutexMap is the trap: one lock around one map.
type stdMutexMap struct {
	mu     sync.Mutex
	counts map[uint64]uint64
}

func (m *stdMutexMap) get(key uint64) (uint64, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count, ok := m.counts[key]
	return count, ok
}

func (m *stdMutexMap) add(key uint64) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	count := m.counts[key] + 1
	m.counts[key] = count
	return count
}

// shardedMutexes is the advice: shards, each under a lock of its own and on lines of its own.
type shardedMutexes [32]struct {
	stdMutexMap
	_ [112]byte
}

// shard goes by five high bits of a product, so that keys which count up spread as well.
func (m *shardedMutexes) shard(key uint64) *stdMutexMap {
	return &m[key*0x9E3779B97F4A7C15>>(64-5)].stdMutexMap
}

func (m *shardedMutexes) get(key uint64) (uint64, bool) { return m.shard(key).get(key) }

func (m *shardedMutexes) add(key uint64) uint64 { return m.shard(key).add(key) }

// stdRWLockMap lets readers in together, but each of them writes the lock's count of readers.
type stdRWLockMap struct {
	mu     sync.RWMutex
	counts map[uint64]uint64
}

func (m *stdRWLockMap) get(key uint64) (uint64, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	count, ok := m.counts[key]
	return count, ok
}

func (m *stdRWLockMap) add(key uint64) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	count := m.counts[key] + 1
	m.counts[key] = count
	return count
}

// syncMapCounters needs no lock to read. Its values are pointers to atomics: a plain count could only be replaced, by a new box.
type syncMapCounters struct {
	counts sync.Map // of uint64 to *atomic.Uint64
}

func (m *syncMapCounters) get(key uint64) (uint64, bool) {
	count, ok := m.counts.Load(key)
	if !ok {
		return 0, false
	}
	return count.(*atomic.Uint64).Load(), true
}

func (m *syncMapCounters) add(key uint64) uint64 {
	count, ok := m.counts.Load(key)
	if !ok {
		count, _ = m.counts.LoadOrStore(key, new(atomic.Uint64))
	}
	return count.(*atomic.Uint64).Add(1)
}

// atomicCounters is the floor: its keys are fixed, so that only the counters are shared, and nothing is locked.
type atomicCounters map[uint64]*atomic.Uint64

func (m atomicCounters) get(key uint64) (uint64, bool) {
	count, ok := m[key]
	if !ok {
		return 0, false
	}
	return count.Load(), true
}

func (m atomicCounters) add(key uint64) uint64 { return m[key].Add(1) }

var contendedMaps = register(trap{
	name: "contended_map",
	points: []point{
		{n: 256, threads: 2, name: "reads=99", headline: true},
		{n: 256, threads: 8, name: "reads=99", headline: true},
	},
	arms: []arm{
		{name: "std_mutex", role: "trap", build: contending(newStdMutexMap)},
		{name: "sharded_mutexes", role: "fix", build: contending(newShardedMutexes)},
		{name: "std_rwlock", role: "fix", build: contending(newStdRWLockMap)},
		{name: "sync_map", role: "fix", build: contending(newSyncMapCounters)},
		{name: "atomic_counters", role: "floor", build: contending(newAtomicCounters)},
	},
})

func BenchmarkContendedMap(b *testing.B) {
	bench(b, contendedMaps)
}

// newStdMutexMap has room for twice its keys, as the others have, so that it never grows. Its lock is on lines of its own.
func newStdMutexMap(keys []uint64) contendedMap {
	m := onOwnLines[stdMutexMap]()
	m.counts = make(map[uint64]uint64, 2*len(keys))
	return m
}

func newShardedMutexes(keys []uint64) contendedMap {
	m := new(shardedMutexes)
	for shard := range m {
		m[shard].counts = make(map[uint64]uint64, 2*len(keys)/len(m))
	}
	return m
}

func newStdRWLockMap(keys []uint64) contendedMap {
	m := onOwnLines[stdRWLockMap]()
	m.counts = make(map[uint64]uint64, 2*len(keys))
	return m
}

func newSyncMapCounters([]uint64) contendedMap { return onOwnLines[syncMapCounters]() }

func newAtomicCounters(keys []uint64) contendedMap {
	m, counts := make(atomicCounters, 2*len(keys)), make([]atomic.Uint64, len(keys))
	for at, key := range keys {
		m[key] = &counts[at]
	}
	return m
}

// mapOp is a look-up of a key, or an addition.
type mapOp struct {
	key uint64
	add bool
}

// contending asks one map in all workers at once. The answer is how many operations found their key, and key times counter of all
// keys: neither depends on an order.
func contending(empty func(keys []uint64) contendedMap) func(point) *work {
	return func(p point) *work {
		input := contendedInput(p)
		keys, ops := input.keys, input.ops
		m := empty(keys)
		for _, key := range keys {
			m.add(key)
		}
		windows, found := newCrewWindows(p, ops), make([]ownLines[uint64], p.threads)
		share := func(worker int) { found[worker].it += askMap(m, windows.next(worker)) }
		run := func() uint64 {
			together(p.threads, share)
			sum := uint64(0)
			for worker := range found {
				sum += found[worker].it
			}
			for _, key := range keys {
				count, _ := m.get(key)
				sum += key * count
			}
			return sum
		}
		return &work{run: run, share: share, input: input}
	}
}

// askMap does operations, and counts those that found their key.
func askMap(m contendedMap, ops []mapOp) (found uint64) {
	for _, op := range ops {
		ok := false
		if op.add {
			ok = m.add(op.key) > 1
		} else {
			_, ok = m.get(op.key)
		}
		if ok {
			found++
		}
	}
	return found
}

// contendedLoad is the keys that are there, and what is asked of the map.
type contendedLoad struct {
	keys []uint64
	ops  []mapOp
}

// contendedInput has operations of which one in a hundred adds.
var contendedInput = shared(func(point) contendedLoad {
	r := newRng(6)
	keys := make([]uint64, 10_000)
	for at := range keys {
		keys[at] = r.next()
	}
	r = newRng(7)
	ops := make([]mapOp, pool)
	for at := range ops {
		key := keys[r.below(uint64(len(keys)))]
		ops[at] = mapOp{key, r.below(100) < 1}
	}
	return contendedLoad{keys, ops}
})
