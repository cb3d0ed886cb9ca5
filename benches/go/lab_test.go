package trapline

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A point is where a trap is measured, named as in Rust.
type point struct {
	n        int
	threads  int
	name     string // its case
	headline bool
}

func (p point) String() string {
	parts := []string{"n=" + strconv.Itoa(p.n)}
	if p.threads > 1 {
		parts = append(parts, "threads="+strconv.Itoa(p.threads))
	}
	if p.name != "" {
		parts = append(parts, p.name)
	}
	return strings.Join(parts, ",")
}

// A trap is a habit, where it is measured, and the ways to do the work. Exactly one arm has the role trap; the first fix is the
// advice.
type trap struct {
	name   string
	points []point
	arms   []arm
}

// An arm is one way to do the work, under the name that it has in Rust if there is one.
type arm struct {
	name string
	role string // trap, fix, opposite, floor
	// build makes it ready for a point: inputs and goroutines are made here, outside the clock. Nil work leaves it out there.
	build func(p point) *work
	// unanswered is why its answers can't be compared with Rust's, if they can't.
	unanswered string
}

// work is an arm at a point.
type work struct {
	// run does a run of n ops and gives its answer, or any word that keeps its output alive.
	run func() uint64
	// answer does a run outside the clock and gives its answer, where run does not.
	answer func() uint64
	// share is what one of the goroutines does of a run, where they do not wait for each other; then run is not timed.
	share func(worker int)
	// measure has a clock and metrics of its own; then neither of the others is timed.
	measure func(b *testing.B)
	// input is what it shares with the other arms of its point, see shared: kept alive as long as it is.
	input any
	// end lets go of what it keeps alive.
	end func()
}

var traps []*trap

// register enters a trap into the list of all.
func register(t trap) *trap {
	traps = append(traps, &t)
	return &t
}

// sink keeps answers alive.
var sink uint64

// bench measures a trap: point by point, all arms at it built at once, the trap twice, and then round by round each of them once
// in random order.
func bench(b *testing.B, t *trap) {
	for _, p := range t.asked() {
		built := t.built(p)
		rounds := setting("TRAPLINE_ROUNDS")
		if slices.ContainsFunc(built, func(a ready) bool { return a.measure != nil }) {
			rounds = 1
		}
		for range rounds {
			rand.Shuffle(len(built), func(i, j int) { built[i], built[j] = built[j], built[i] })
			for _, a := range built {
				b.Run(a.path, a.time)
			}
		}
		for _, a := range built {
			if a.end != nil {
				a.end()
			}
		}
	}
}

// asked are all points, or the first headline where the lab asks for one.
func (t *trap) asked() []point {
	if setting("TRAPLINE_POINTS") != 1 {
		return t.points
	}
	first := slices.IndexFunc(t.points, func(p point) bool { return p.headline })
	return t.points[max(first, 0):][:1]
}

// setting reads a number that the lab sets: how many rounds, and how many points; 1 round and all points if nobody does.
func setting(name string) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return map[string]int{"TRAPLINE_ROUNDS": 1}[name]
}

// ready is an arm that is built.
type ready struct {
	*work
	path    string
	threads int
}

func (t *trap) built(p point) []ready {
	var all []ready
	enter := func(a arm, name, role string) {
		if w := a.build(p); w != nil {
			all = append(all, ready{w, path(p, name, role), p.threads})
		}
	}
	for _, a := range t.arms {
		enter(a, a.name, a.role)
		if a.role == "trap" {
			enter(a, "same", "control") // the trap beside itself: what it scatters is noise
		}
	}
	return all
}

// path names a sub-benchmark by keys, as benchstat reads them.
func path(p point, name, role string) string {
	keys := []string{"n=" + strconv.Itoa(p.n), "threads=" + strconv.Itoa(p.threads)}
	if p.name != "" {
		keys = append(keys, "case="+p.name)
	}
	return strings.Join(append(keys, "role="+role, "variant="+name), "/")
}

func (a ready) time(b *testing.B) {
	if a.measure != nil {
		a.measure(b)
		return
	}
	if a.share != nil {
		crew(b, a.threads, a.share)
		return
	}
	b.ReportAllocs()
	sink += a.run() // whoever keeps a buffer has it from here on
	for b.Loop() {
		sink += a.run()
	}
}

func TestMain(m *testing.M) {
	switch role := os.Getenv("TRAPLINE"); role {
	case "":
		os.Exit(m.Run())
	case "list":
		tell(func(arm, *work) string { return "" })
	case "answers":
		tell(answerOf)
	default:
		play(role)
	}
}

// A line says that there is an arm at a point, and what it answers.
type line struct {
	Trap       string `json:"trap"`
	N          int    `json:"n"`
	Threads    int    `json:"threads"`
	Case       string `json:"case"`
	Headline   bool   `json:"headline"`
	Variant    string `json:"variant"`
	Role       string `json:"role"`
	Answer     string `json:"answer,omitempty"`
	Unanswered string `json:"unanswered,omitempty"`
}

func answerOf(a arm, w *work) string {
	switch {
	case a.unanswered != "":
		return ""
	case w.answer != nil:
		return fmt.Sprintf("%016x", w.answer())
	}
	return fmt.Sprintf("%016x", w.run())
}

// tell writes a line of JSON for each arm at each point.
func tell(answer func(arm, *work) string) {
	out := json.NewEncoder(os.Stdout)
	for _, t := range traps {
		for _, p := range t.points {
			for _, a := range t.arms {
				w := a.build(p)
				if w == nil {
					continue
				}
				l := line{t.name, p.n, p.threads, p.name, p.headline, a.name, a.role, answer(a, w), a.unanswered}
				if err := out.Encode(l); err != nil {
					panic(err)
				}
				if w.end != nil {
					w.end()
				}
			}
		}
	}
}
