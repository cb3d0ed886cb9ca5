package trapline

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// A select of two channels with a default locks both of them, in an order of addresses, looks, unlocks and returns. It never gives
// its P away: only the runtime takes it, after 10 ms, by a signal. Without a default it queues up at both channels and parks the
// goroutine; a P that finds nothing else looks around for a while, and then its thread sleeps. A sleep in the default parks on a
// timer, which no message ends. Gosched goes behind all others that can run, and comes back at once if there are none.
//
// In the twin the listener and its neighbours are goroutines on GOMAXPROCS Ps, without a CPU of their own. While idle each arm is
// in a process of its own, whose CPU time is all that its runtime takes, too. Rust's select_timeout is not measured here.

// selectDefault is the trap: with nothing to do it asks again at once.
func selectDefault[M any](messages <-chan M, quit <-chan struct{}, handle func(M)) {
	for {
		select {
		case message := <-messages:
			handle(message)
		case <-quit:
			selectRest(messages, handle)
			return
		default:
		}
	}
}

// selectBlocking is the advice: no default. It sleeps until there is something.
func selectBlocking[M any](messages <-chan M, quit <-chan struct{}, handle func(M)) {
	for {
		select {
		case message := <-messages:
			handle(message)
		case <-quit:
			selectRest(messages, handle)
			return
		}
	}
}

// selectSleep is what people do first: a sleep in the default.
func selectSleep[M any](messages <-chan M, quit <-chan struct{}, handle func(M)) {
	for {
		select {
		case message := <-messages:
			handle(message)
		case <-quit:
			selectRest(messages, handle)
			return
		default:
			time.Sleep(time.Millisecond)
		}
	}
}

// selectGosched is polite to others that want its P, and burns the core all the same if there are none.
func selectGosched[M any](messages <-chan M, quit <-chan struct{}, handle func(M)) {
	for {
		select {
		case message := <-messages:
			handle(message)
		case <-quit:
			selectRest(messages, handle)
			return
		default:
			runtime.Gosched()
		}
	}
}

// selectRest handles what had come before it was told to quit.
func selectRest[M any](messages <-chan M, handle func(M)) {
	for len(messages) > 0 {
		handle(<-messages)
	}
}

var busySelect = register(trap{
	name: "busy_select",
	points: []point{
		{n: 20_000, threads: 3, name: "neighbours", headline: true},
		{n: 10, threads: 2, name: "idle=10ms", headline: true},
		{n: 250, threads: 2, name: "idle=1ms"},
	},
	arms: []arm{
		{name: "select_default", role: "trap", build: selectArm("select_default")},
		{name: "select_blocking", role: "fix", build: selectArm("select_blocking")},
		{name: "select_sleep", role: "fix", build: selectArm("select_sleep")},
		{name: "select_gosched", role: "fix", build: selectArm("select_gosched")},
		{name: "nobody_waits", role: "floor", build: selectArm("nobody_waits")},
	},
})

func BenchmarkBusySelect(b *testing.B) {
	bench(b, busySelect)
}

func init() {
	roles["busy_select"] = telling(selectIdle)
}

// selectIdle is how a listener with little to hear is measured.
func selectIdle(arm string, p point) readings {
	if p.name == "idle=1ms" {
		_, metrics := selectPaced(p, arm)
		return metrics
	}
	start, before := time.Now(), usage()
	selectTicks(p, arm)
	return readings{"cpu-share": float64(cpuTime(usage())-cpuTime(before)) / float64(time.Since(start))}
}

// selectLoops are the loops by the name of their arm: the same for each kind of message. The floor has none.
func selectLoops[M any](arm string) func(<-chan M, <-chan struct{}, func(M)) {
	return map[string]func(<-chan M, <-chan struct{}, func(M)){
		"select_default":  selectDefault[M],
		"select_blocking": selectBlocking[M],
		"select_sleep":    selectSleep[M],
		"select_gosched":  selectGosched[M],
	}[arm]
}

func selectArm(arm string) func(point) *work {
	return func(p point) *work {
		switch p.name {
		case "neighbours":
			return &work{run: func() uint64 { return selectNeighbours(p, arm) }}
		case "idle=10ms":
			return &work{answer: func() uint64 { return selectTicks(p, arm) }, measure: elsewhere("busy_select", arm, p)}
		}
		if arm == "nobody_waits" || arm == "select_gosched" {
			return nil // nobody hears a message, or as soon as in the trap
		}
		answer := func() uint64 {
			sum, _ := selectPaced(p, arm)
			return sum
		}
		return &work{answer: answer, measure: elsewhere("busy_select", arm, p)}
	}
}

// selectNeighbours is the neighbours' run beside a listener, if the arm has one. Their clock does not wait for one that sleeps.
func selectNeighbours(p point, arm string) (sum uint64) {
	messages, quit, sums := make(chan uint64, 1_024), make(chan struct{}, 1), make(chan uint64, p.threads)
	if listen := selectLoops[uint64](arm); listen != nil {
		go listen(messages, quit, func(uint64) {})
	}
	var working atomic.Int32
	working.Store(int32(p.threads - 1))
	for worker := 1; worker < p.threads; worker++ {
		go func() {
			sums <- selectUnits(p.n, uint64(worker), messages)
			if working.Add(-1) == 0 {
				quit <- struct{}{}
			}
		}()
	}
	for worker := 1; worker < p.threads; worker++ {
		sum += <-sums
	}
	return sum
}

// selectUnits is a neighbour: units of a microsecond, each of which waits for the last, and a message each thousand.
func selectUnits(units int, last uint64, messages chan<- uint64) (sum uint64) {
	for unit := 1; unit <= units; unit++ {
		last = ownWork(stepsPerMicrosecond, last^uint64(unit))
		sum += last
		if unit%1_000 == 0 {
			messages <- last
		}
	}
	return sum
}

// selectTicks sends a message each 10 ms and sleeps in between. It gives the sum of what was heard, or sent if nobody listens.
func selectTicks(p point, arm string) uint64 {
	messages, quit, sums := make(chan uint64, 1_024), make(chan struct{}, 1), make(chan uint64, 1)
	listen := selectLoops[uint64](arm)
	if listen == nil {
		listen = func(messages <-chan uint64, quit <-chan struct{}, handle func(uint64)) {
			<-quit
			selectRest(messages, handle)
		}
	}
	go func() {
		var sum uint64
		listen(messages, quit, func(value uint64) { sum += value })
		sums <- sum
	}()
	r, start := newRng(31), time.Now()
	for at := 1; at <= p.n; at++ {
		time.Sleep(time.Until(start.Add(time.Duration(at) * 10 * time.Millisecond)))
		messages <- r.next()
	}
	quit <- struct{}{}
	return <-sums
}

// selectDue is a message, and when it was due to be sent.
type selectDue struct {
	due   time.Time
	value uint64
}

// selectPaced sends a message whenever one is due, each ms, and measures from then until it was heard.
func selectPaced(p point, arm string) (sum uint64, metrics readings) {
	messages, quit, done := make(chan selectDue, 128), make(chan struct{}, 1), make(chan struct{})
	sent, heard := newPacedTimes(p.n), newPacedTimes(p.n)
	go func() {
		selectLoops[selectDue](arm)(messages, quit, func(message selectDue) {
			heard = append(heard, time.Since(message.due))
			sum += message.value
		})
		close(done)
	}()
	r := newRng(31)
	pacedOps(p.n, time.Millisecond, func(due time.Time) {
		messages <- selectDue{due, r.next()}
		sent = append(sent, time.Since(due))
	})
	quit <- struct{}{}
	<-done
	metrics = readings{}
	sent.tell(metrics, "")
	heard.tell(metrics, "queue-")
	return sum, metrics
}
