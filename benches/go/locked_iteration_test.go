package trapline

import (
	"encoding/binary"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// A writer that finds the mutex locked spins for a moment and then parks on a semaphore. To unlock wakes it, and whoever runs comes
// first: a walker that locks again at once has the lock before the writer is on a P. A writer that has waited for 1 ms turns the
// mutex to starvation, and is handed it at the next unlock. Gosched does so at once: the unlock made the writer the next
// goroutine of this P.
//
// In the twin sessions are values in the map, as in Rust. Go can't write to a field of one there: a hit takes it out and puts it back.
// A copy of the map is one of its tables, and shares the names, where a clone in Rust makes each its own. Writer and walker are
// goroutines in a process of their own.

// walkLocked is the trap: it holds the lock for the whole walk.
func walkLocked(s *lockedSessions, visit func(lockedSession)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.byID {
		visit(session)
	}
}

// walkChunks is the advice: after each chunk it lets go, and lets who waits run first.
func walkChunks(s *lockedIndexed, visit func(lockedSession)) {
	for from := 0; s.visitChunk(from, visit); from += lockedChunk {
		runtime.Gosched()
	}
}

// walkChunksBarging is what people write: unlock, and lock again. A waiter must be quick to come in between.
func walkChunksBarging(s *lockedIndexed, visit func(lockedSession)) {
	for from := 0; s.visitChunk(from, visit); from += lockedChunk {
	}
}

// visitChunk visits some sessions under the lock, and says whether there are more.
func (s *lockedIndexed) visitChunk(from int, visit func(lockedSession)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := min(from+lockedChunk, len(s.sessions))
	for ; from < to; from++ { // others may have removed some meanwhile
		visit(s.sessions[from])
	}
	return to < len(s.sessions)
}

// walkShards locks one shard at a time, for reading.
func walkShards(s *lockedShards, visit func(lockedSession)) {
	for at := range s {
		s[at].visitAll(visit)
	}
}

func (s *lockedShard) visitAll(visit func(lockedSession)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, session := range s.byID {
		visit(session)
	}
}

// cloneLocked copies the map, so that the lock is not held for the walk. It is held for the copy.
func cloneLocked(s *lockedSessions, visit func(lockedSession)) {
	s.mu.Lock()
	sessions := maps.Clone(s.byID)
	s.mu.Unlock()
	for _, session := range sessions {
		visit(session)
	}
}

// walkAlone is the floor: no lock, and beside the writer no walk at all.
func (s *lockedIndexed) walkAlone(visit func(lockedSession)) {
	for _, session := range s.sessions {
		visit(session)
	}
}

// hitAlone is the write beside it.
func (s *lockedIndexed) hitAlone(id uint64) {
	s.sessions[s.places[id]].hits++
}

// lockedChunk is how many sessions are visited before others may have the lock.
const lockedChunk = 256

// lockedSession is what a service knows of one who has logged in. Writers count its hits.
type lockedSession struct {
	user          string
	expires, hits uint64
}

// lockedSessions are sessions by id.
type lockedSessions struct {
	mu   sync.Mutex
	byID map[uint64]lockedSession
}

func (s *lockedSessions) hit(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := s.byID[id]
	session.hits++
	s.byID[id] = session
}

// lockedIndexed are sessions with numbered places, so that a walk can go on where it stopped: a map can't.
type lockedIndexed struct {
	mu       sync.Mutex
	places   map[uint64]int
	sessions []lockedSession
}

func (s *lockedIndexed) hit(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[s.places[id]].hits++
}

// lockedShards are sessions by the top bits of their random ids, each shard with a lock of its own.
type lockedShards [8]lockedShard

type lockedShard struct {
	mu   sync.RWMutex
	byID map[uint64]lockedSession
	_    [128]byte
}

func (s *lockedShards) of(id uint64) *lockedShard {
	return &s[id>>61]
}

func (s *lockedShards) hit(id uint64) {
	shard := s.of(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	session := shard.byID[id]
	session.hits++
	shard.byID[id] = session
}

var lockedIteration = register(trap{
	name: "locked_iteration",
	points: []point{
		{n: 100_000, threads: 1, headline: true},
		{n: 10_000, threads: 1, name: "writes", headline: true},
	},
	arms: []arm{
		{name: "walk_locked", role: "trap", build: lockedArm("walk_locked")},
		{name: "walk_chunks", role: "fix", build: lockedArm("walk_chunks")},
		{name: "walk_chunks_barging", role: "fix", build: lockedArm("walk_chunks_barging")},
		{name: "walk_shards", role: "fix", build: lockedArm("walk_shards")},
		{name: "clone_locked", role: "fix", build: lockedArm("clone_locked")},
		{name: "nobody_walks", role: "floor", build: lockedArm("nobody_walks")},
	},
})

func BenchmarkLockedIteration(b *testing.B) {
	bench(b, lockedIteration)
}

func init() {
	roles["locked_iteration"] = telling(func(arm string, p point) readings { _, metrics := lockedWrites(arm, p, p.n); return metrics })
}

func lockedArm(arm string) func(point) *work {
	return func(p point) *work {
		if p.name == "writes" {
			answer := func() uint64 { sum, _ := lockedWrites(arm, p, 1_000); return sum }
			return &work{answer: answer, measure: elsewhere("locked_iteration", arm, p)}
		}
		load := lockedLoad(p)
		kept := lockedKept(arm, load)
		return &work{run: func() uint64 { return lockedVisited(kept.walk) }, input: load}
	}
}

// lockedWrites does a write each 20 µs, beside a walk each 20.3 ms, which is out of step. The answer is what a last walk sees.
func lockedWrites(arm string, p point, n int) (sum uint64, metrics readings) {
	load := lockedLoad(p)
	kept, times, quit := lockedKept(arm, load), newPacedTimes(n), make(chan struct{})
	var walker sync.WaitGroup
	if arm != "nobody_walks" {
		walker.Add(1)
		go func() {
			defer walker.Done()
			lockedKeepWalking(quit, 1+n*20/20_300, kept.walk)
		}()
	}
	pacedOps(n, 20*time.Microsecond, func(due time.Time) {
		kept.hit(load.hits[(len(times)+1)%pool])
		times = append(times, time.Since(due))
	})
	close(quit)
	walker.Wait()
	metrics = readings{}
	times.tell(metrics, "")
	return lockedVisited(kept.walk), metrics
}

// lockedKeepWalking walks at once and again each so often, but no more often than writes are due: where a walk takes longer than the
// time between two, it would never end.
func lockedKeepWalking(quit <-chan struct{}, walks int, walk func(func(lockedSession))) {
	due := time.Now()
	for range walks {
		select {
		case <-quit:
			return
		case <-time.After(time.Until(due)):
			lockedVisited(walk)
		}
		due = due.Add(20_300 * time.Microsecond)
	}
}

// lockedWays are how an arm writes to its sessions, and how it walks over them.
type lockedWays struct {
	hit  func(id uint64)
	walk func(visit func(lockedSession))
}

func lockedKept(arm string, load *lockedRequests) lockedWays {
	switch arm {
	case "walk_chunks":
		return lockedInOrder(load, (*lockedIndexed).hit, walkChunks)
	case "walk_chunks_barging":
		return lockedInOrder(load, (*lockedIndexed).hit, walkChunksBarging)
	case "nobody_walks":
		return lockedInOrder(load, (*lockedIndexed).hitAlone, (*lockedIndexed).walkAlone)
	case "walk_shards":
		shards := new(lockedShards)
		for at := range shards {
			shards[at].byID = make(map[uint64]lockedSession, len(load.ids)/len(shards))
		}
		for at, id := range load.ids {
			shards.of(id).byID[id] = load.sessions[at]
		}
		return lockedWays{shards.hit, func(visit func(lockedSession)) { walkShards(shards, visit) }}
	}
	walk := map[string]func(*lockedSessions, func(lockedSession)){"walk_locked": walkLocked, "clone_locked": cloneLocked}[arm]
	s := &lockedSessions{byID: make(map[uint64]lockedSession, len(load.ids))}
	for at, id := range load.ids {
		s.byID[id] = load.sessions[at]
	}
	return lockedWays{s.hit, func(visit func(lockedSession)) { walk(s, visit) }}
}

type lockedWalk = func(*lockedIndexed, func(lockedSession))

func lockedInOrder(load *lockedRequests, hit func(*lockedIndexed, uint64), walk lockedWalk) lockedWays {
	s := &lockedIndexed{places: make(map[uint64]int, len(load.ids)), sessions: slices.Clone(load.sessions)}
	for at, id := range load.ids {
		s.places[id] = at
	}
	return lockedWays{func(id uint64) { hit(s, id) }, func(visit func(lockedSession)) { walk(s, visit) }}
}

// lockedVisited is what a walk sees, added up, for a map has no order. A visit takes about 20 ns.
func lockedVisited(walk func(func(lockedSession))) (sum uint64) {
	work := turns{steps: 20 * stepsPerMicrosecond / 1_000}
	walk(func(session lockedSession) {
		work.take(session.expires)
		user := binary.LittleEndian.Uint64([]byte(session.user[:8]))
		sum += (user ^ session.expires) + session.hits*(session.expires|1)
	})
	return sum
}

// lockedRequests are the sessions, and whose requests come.
type lockedRequests struct {
	ids      []uint64
	sessions []lockedSession
	hits     []uint64
}

var lockedLoad = shared(func(point) lockedRequests {
	const entries = 100_000
	r, load := newRng(41), lockedRequests{make([]uint64, entries), make([]lockedSession, entries), make([]uint64, pool)}
	for at := range load.ids {
		user := fmt.Sprintf("%016x", r.next())
		load.ids[at], load.sessions[at] = r.next(), lockedSession{user: user, expires: r.next() >> 32}
	}
	for at := range load.hits {
		load.hits[at] = load.ids[r.next()%entries]
	}
	return load
})
