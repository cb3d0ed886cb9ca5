package trapline

import (
	"container/list"
	"encoding/binary"
	"testing"
)

// A map keeps what it has, and the collector marks all of that in each cycle: a page is a block of the heap of its own, and the
// table holds pointers to them. A cache that is dropped at the end of a run costs nothing then; the collector finds it dead
// later, inside the clock of whichever run is on. A table is never made smaller, and delete leaves its places to be used again.
// It differs from Rust: no hasher is shared, for a Go map has its own, and the floor multiplies; there is no S3-FIFO in the
// standard library, and two_generations is what is bounded without a list. At 400 000 keys the cache is held in a process of its
// own, and what is told there is the second half's growth and a full collection with the cache alive.

// pageCap is how many entries a bounded cache has room for.
const pageCap = 4_096

type pageCache interface {
	page(key uint64) []byte
}

// unboundedPages is the trap: nothing ever leaves the map.
type unboundedPages map[uint64][]byte

func (c unboundedPages) page(key uint64) []byte {
	page, ok := c[key]
	if !ok {
		page = renderPage(key)
		c[key] = page
	}
	return page
}

// lruPages is the advice: the least recently used entry makes room.
type lruPages struct {
	byKey  map[uint64]*list.Element
	recent *list.List
}

type lruPage struct {
	key  uint64
	page []byte
}

func newLruPages() *lruPages {
	return &lruPages{make(map[uint64]*list.Element, pageCap), list.New()}
}

func (c *lruPages) page(key uint64) []byte {
	if at, ok := c.byKey[key]; ok {
		c.recent.MoveToFront(at)
		return at.Value.(*lruPage).page
	}
	if c.recent.Len() == pageCap {
		oldest := c.recent.Remove(c.recent.Back()).(*lruPage)
		delete(c.byKey, oldest.key)
	}
	page := renderPage(key)
	c.byKey[key] = c.recent.PushFront(&lruPage{key, page})
	return page
}

// twoGenerations keeps no list: when the young map is full it becomes the old one, and the old one's entries go. What is asked
// for again in time is young again.
type twoGenerations struct {
	young, old map[uint64][]byte
}

func newTwoGenerations() *twoGenerations {
	return &twoGenerations{make(map[uint64][]byte, pageCap/2), make(map[uint64][]byte, pageCap/2)}
}

func (c *twoGenerations) page(key uint64) []byte {
	if page, ok := c.young[key]; ok {
		return page
	}
	page, ok := c.old[key]
	if !ok {
		page = renderPage(key)
	}
	if len(c.young) == pageCap/2 {
		c.young, c.old = c.old, c.young
		clear(c.young)
	}
	c.young[key] = page
	return page
}

// directMapped is the floor: no policy and no list. Who comes overwrites who was there.
type directMapped [pageCap]lruPage

func (c *directMapped) page(key uint64) []byte {
	slot := &c[key*0x9E3779B97F4A7C15>>52]
	if slot.page == nil || slot.key != key {
		*slot = lruPage{key, renderPage(key)}
	}
	return slot.page
}

// renderPage makes the page of a key, 256 bytes. It is a variable, so that the compiler can't see that one word would do.
var renderPage = func(key uint64) []byte {
	page := make([]byte, 256)
	for at := range uint64(32) {
		binary.LittleEndian.PutUint64(page[8*at:], (key^(at+1))*0x9E3779B97F4A7C15)
	}
	return page
}

var emptyPages = map[string]func() pageCache{
	"unbounded":       func() pageCache { return unboundedPages{} },
	"lru":             func() pageCache { return newLruPages() },
	"two_generations": func() pageCache { return newTwoGenerations() },
	"direct_mapped":   func() pageCache { return new(directMapped) },
}

var unboundedCache = register(trap{
	name: "unbounded_cache",
	points: []point{
		{n: 40_000, threads: 1, name: "skewed", headline: true},
		{n: 400_000, threads: 1, name: "unique"},
	},
	arms: []arm{
		{name: "unbounded", role: "trap", build: caching("unbounded")},
		{name: "lru", role: "fix", build: caching("lru")},
		{name: "two_generations", role: "fix", build: caching("two_generations")},
		{name: "direct_mapped", role: "floor", build: caching("direct_mapped")},
	},
})

func BenchmarkUnboundedCache(b *testing.B) {
	bench(b, unboundedCache)
}

func caching(arm string) func(point) *work {
	return func(p point) *work {
		all := pageKeys(p)
		keys := newWindows(*all, p.n)
		w := &work{run: func() uint64 { return servePages(emptyPages[arm](), keys.next()) }, input: all}
		if p.name == "unique" {
			w.measure = elsewhere("unbounded_cache", arm, p)
		}
		return w
	}
}

func servePages(cache pageCache, keys []uint64) uint64 {
	var sum uint64
	for _, key := range keys {
		sum += binary.LittleEndian.Uint64(cache.page(key))
	}
	return sum
}

var pageKeys = shared(func(p point) []uint64 {
	r := newRng(41)
	keys := make([]uint64, max(pool/p.n, 1)*p.n)
	for at := range keys {
		if p.name == "unique" {
			keys[at] = uint64(at)
		} else {
			keys[at] = skewedPageKey(r)
		}
	}
	return keys
})

// skewedPageKey is one of 24 octaves, all of which are as likely: small keys come often, large ones once.
func skewedPageKey(r *rng) uint64 {
	octave := r.next() % 24
	return 1<<octave | r.next()&(1<<octave-1)
}

// holdPages fills a cache and keeps it.
func holdPages(arm string, p point) readings {
	cache, keys := emptyPages[arm](), *pageKeys(p)
	serve := func(from, to int) { sink += servePages(cache, keys[from:to]) }
	return holding(p.n, serve, "live-bytes", "rss-bytes")
}

func init() {
	roles["unbounded_cache"] = telling(holdPages)
}
