//go:build linux

package trapline

import (
	"maps"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
)

// Two reclaimers, and their shapes can be compared, never their ns. At n = 36 864 the program sweeps the table by hand, as in
// Rust; a swept session is garbage, for the collector to find. At n = 98 304, in a process of its own under load
// (served_test.go), nobody sweeps: a session takes the place of one that has expired, and how much garbage there may be for what
// lives is GOGC's to say, with the numbers of the arms. A cycle marks what lives, beside the requests or with their help, and
// garbage costs it little. What lives is the table of Rust's floor with its 6 144 sessions, less than half of the least heap, 4 MB
// times GOGC ÷ 100: that decides here, and only a ceiling, GOMEMLIMIT, collects sooner. A map of Go's has no insert that gives the
// old: it is looked up first.

// How many requests a session lives on average, and so how many live at once, and longer than which none lives.
const (
	expiringLive    = 4_096
	expiringLongest = expiringLive * 3 / 2
	expiringWhole   = 9 * expiringLive
	// expiringCeiling is what live sessions own, a token and eight words in a cart, and a half more.
	expiringCeiling = expiringLive * (32 + 8*8) * 3 / 2
)

// expiringRequest opens a session and looks up one that was opened so many requests ago. Time is the number of the request.
type expiringRequest struct {
	user              uint64
	life, back, items uint16
}

// expiringSession owns two objects.
type expiringSession struct {
	user, expires uint64
	token         *[4]uint64
	cart          []uint64
}

func newExpiringSession(now uint64, r expiringRequest) expiringSession {
	cart := make([]uint64, r.items)
	for at := range cart {
		cart[at] = r.user
	}
	return expiringSession{r.user, now + uint64(r.life), &[4]uint64{r.user, r.user, r.user, r.user}, cart}
}

func (s *expiringSession) owned() int {
	if s.token == nil {
		return 0
	}
	return 8*len(s.token) + 8*len(s.cart)
}

// expiringTable counts the bytes that its sessions own, live or expired.
type expiringTable struct {
	byID  map[uint64]expiringSession
	owned int
}

func (t *expiringTable) open(id uint64, s expiringSession) {
	old := t.byID[id]
	t.owned += s.owned() - old.owned()
	t.byID[id] = s
}

// user gives none of a session that has expired, whether it is still there or not.
func (t *expiringTable) user(id, now uint64) uint64 {
	if s := t.byID[id]; s.expires > now {
		return s.user
	}
	return 0
}

// sweep lets go of all that has expired. It visits each place of the table, which never gets smaller.
func (t *expiringTable) sweep(now uint64) {
	maps.DeleteFunc(t.byID, func(_ uint64, s expiringSession) bool {
		expired := s.expires <= now
		if expired {
			t.owned -= s.owned()
		}
		return expired
	})
}

// expiringReclaim is when to sweep: every so many requests, and whenever more bytes are owned than the ceiling; or never, where
// ids go round, for then a session has the id of one that has expired for sure, and for which nobody looks any more.
type expiringReclaim struct {
	every    uint64
	ceiling  int
	recycled bool
}

// id is that of the session that the request of this number opens.
func (how expiringReclaim) id(number uint64) uint64 {
	if how.recycled {
		return number % expiringLongest
	}
	return number
}

// most are the sessions that there are at once.
func (how expiringReclaim) most() int {
	if how.recycled {
		return expiringLongest
	}
	return min(int(how.every)+expiringLive, how.ceiling/96)
}

// expiringService serves requests, and sweeps as it is told to.
type expiringService struct {
	requests  []expiringRequest
	table     expiringTable
	how       expiringReclaim
	left, now uint64
}

// newExpiringService begins so late that there is no request before the first.
func newExpiringService(requests []expiringRequest, how expiringReclaim) *expiringService {
	table := expiringTable{byID: make(map[uint64]expiringSession, 2*how.most())}
	return &expiringService{requests, table, how, how.every, expiringWhole}
}

func (s *expiringService) next() uint64 {
	r, now := s.requests[s.now%pool], s.now
	s.table.open(s.how.id(now), newExpiringSession(now, r))
	user := s.table.user(s.how.id(now-uint64(r.back)), now)
	s.left--
	if s.left == 0 || s.table.owned > s.how.ceiling {
		s.left = s.how.every
		s.table.sweep(now)
	}
	s.now++
	return user
}

func (s *expiringService) serve(n int) uint64 {
	var sum uint64
	for range n {
		sum += s.next()
	}
	return sum
}

var (
	sweepAt12         = expiringReclaim{expiringLive / 8, math.MaxInt, false}
	sweepAt100        = expiringReclaim{expiringLive, math.MaxInt, false}
	sweepAt300        = expiringReclaim{3 * expiringLive, math.MaxInt, false}
	sweepUnderCeiling = expiringReclaim{3 * expiringLive, expiringCeiling, false}
	recycledIDs       = expiringReclaim{math.MaxInt, math.MaxInt, true}
)

var reclaimInterval = register(trap{
	name: "reclaim_interval",
	points: []point{
		{n: expiringWhole, threads: 1, name: "owning", headline: true},
		{n: 98_304, threads: 1, name: "owning", headline: true}, // one each 2 µs
	},
	arms: []arm{
		{name: "sweep_at_100", role: "trap", build: reclaiming("sweep_at_100", &sweepAt100, "GOGC=100")},
		{name: "sweep_at_300", role: "fix", build: reclaiming("sweep_at_300", &sweepAt300, "GOGC=300")},
		{name: "sweep_at_12", role: "fix", build: reclaiming("sweep_at_12", &sweepAt12)},
		{name: "sweep_under_ceiling", role: "fix", build: reclaiming("sweep_under_ceiling", &sweepUnderCeiling, "GOGC=300")},
		{name: "sweep_at_100_under_ceiling", role: "fix", build: reclaiming("sweep_at_100_under_ceiling", nil, "GOGC=100")},
		{name: "recycled_ids", role: "floor", build: reclaiming("recycled_ids", &recycledIDs)},
		{name: "gogc_off", role: "floor", build: reclaiming("gogc_off", nil, "GOGC=off")},
	},
})

func BenchmarkReclaimInterval(b *testing.B) {
	bench(b, reclaimInterval)
}

// reclaiming is by hand where that is said, and a server with these settings where there are some.
func reclaiming(arm string, how *expiringReclaim, settings ...string) func(point) *work {
	return func(p point) *work {
		switch {
		case p.n == expiringWhole && how != nil:
			requests := expiringRequests(p)
			service := newExpiringService(*requests, *how)
			return &work{run: func() uint64 { return service.serve(p.n) }, input: requests}
		case p.n != expiringWhole && len(settings) > 0:
			asked := p.n * 3 / 2 // so many that there is a cycle at GOGC=300
			load := servedLoad{
				role: "reclaim_interval", arm: arm, p: p, settings: settings,
				n: asked, every: 2 * time.Microsecond, after: asked, op: p.n,
			}
			return &work{measure: load.measure, answer: func() uint64 { return answerExpiring(p) }}
		}
		return nil
	}
}

func answerExpiring(p point) uint64 {
	service := newExpiringService(*expiringRequests(p), recycledIDs)
	return service.serve(3*expiringWhole) + service.serve(1_000)
}

func init() {
	roles["reclaim_interval"] = serveExpiring
}

// serveExpiring is the server. It has its table full and some cycles behind it when the first request comes.
func serveExpiring(arm string, p point) {
	service := newExpiringService(besideHeap(*expiringRequests(p)), recycledIDs)
	sink = service.serve(expiringLongest)
	runtime.GC()
	if strings.HasSuffix(arm, "under_ceiling") {
		debug.FreeOSMemory() // what was only needed to begin would be over the limit
		debug.SetMemoryLimit(ceilingOverLive())
	}
	sink += service.serve(3*expiringWhole - expiringLongest)
	serveBoard(service.next)
}

// ceilingOverLive is a limit for what the process has apart from objects, and one and a half times those that live, as Rust's is
// for what they own. Below what lives it would collect without end. The runtime keeps a MiB of a limit in reserve.
func ceilingOverLive() int64 {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
	}
	metrics.Read(samples)
	held, live := samples[0].Value.Uint64(), samples[3].Value.Uint64()
	for _, unused := range samples[1:3] {
		held -= unused.Value.Uint64()
	}
	return int64(held + live/2 + 1<<20)
}

// expiringRequests draws what comes.
var expiringRequests = shared(func(point) []expiringRequest {
	r := newRng(42)
	requests := make([]expiringRequest, pool)
	for at := range requests {
		requests[at] = expiringRequest{
			user: r.next(),
			life: uint16(r.within(expiringLive/2, expiringLongest)),
			back: uint16(r.within(1, expiringLongest)), items: uint16(r.within(2, 15)),
		}
	}
	return requests
})
