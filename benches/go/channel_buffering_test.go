package trapline

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// A send that finds its receiver parked writes into that goroutine's memory and makes it the next one on the sender's P, from where
// an idle P steals it. A send without room parks the goroutine and not the thread. A hand-over between two goroutines on one P is
// a switch of stacks, without the kernel; the kernel has a part in it only where a thread without work has gone to sleep.
//
// In the twin both are goroutines, and the runtime places them: Rust's threads are pinned to a CPU each and park in the kernel. A
// buffered channel of Go's does not spin before it parks. There is no floor: without a hand-over nothing would be left to time.

// channelSend sends all messages. The habit is in make: make(chan message), or make(chan message, 10_000). The advice is
// make(chan message, 8), as deep as a burst is long.
func channelSend(messages chan<- channelMessage, payloads []uint64) {
	for _, payload := range payloads {
		messages <- channelMessage{payload: payload}
	}
}

// channelReceive adds up what comes, and writes the sum down at each mark.
func channelReceive(messages <-chan channelMessage, seen *channelSeen) {
	var sum uint64
	for message := range messages {
		if message.mark == 0 {
			sum += message.payload
			continue
		}
		seen.sum, sum = sum, 0
		seen.mark.Store(message.mark)
	}
}

// channelMessage is a payload, or the mark behind the last one of a run, with the run's number.
type channelMessage struct {
	payload, mark uint64
}

// channelSeen is what the receiver has seen.
type channelSeen struct {
	sum  uint64
	mark atomic.Uint64
}

// await spins until this mark was seen: to be woken by a reply would cost as much as many messages.
func (s *channelSeen) await(mark uint64) uint64 {
	for looks := 1; s.mark.Load() != mark; looks++ {
		if looks%256 == 0 {
			runtime.Gosched()
		}
	}
	return s.sum
}

var channelBuffering = register(trap{
	name: "channel_buffering",
	points: []point{
		{n: 256, threads: 2, name: "flat_out", headline: true},
		{n: 2_500, threads: 2, name: "stalls", headline: true},
		{n: 5_000, threads: 2, name: "overload", headline: true},
	},
	arms: []arm{
		{name: "rendezvous", role: "trap", build: channelWithRoomFor(0)},
		{name: "slots_8", role: "fix", build: channelWithRoomFor(8)},
		{name: "slots_16", role: "fix", build: channelWithRoomFor(16)},
		{name: "slots_10000", role: "opposite", build: channelWithRoomFor(10_000)},
	},
})

func BenchmarkChannelBuffering(b *testing.B) {
	bench(b, channelBuffering)
}

func channelWithRoomFor(capacity int) func(point) *work {
	return func(p point) *work {
		if p.name == "flat_out" {
			return channelFlatOut(p, capacity)
		}
		if p.name == "stalls" && capacity == 10_000 || p.name == "overload" && capacity == 8 {
			return nil // no claim needs it, and each of them takes a part of a second
		}
		answer := func() uint64 {
			sum, _ := channelStream(p, capacity, 1_000)
			return sum
		}
		measure := func(b *testing.B) {
			var metrics readings
			for b.Loop() {
				_, metrics = channelStream(p, capacity, p.n)
			}
			metrics.report(b)
		}
		return &work{answer: answer, measure: measure}
	}
}

// channelFlatOut sends as fast as it goes. Its receiver sleeps between two runs.
func channelFlatOut(p point, capacity int) *work {
	items := channelPayloads(p)
	messages, payloads := make(chan channelMessage, capacity), newWindows(*items, p.n)
	seen, mark := onOwnLines[channelSeen](), uint64(0)
	go channelReceive(messages, seen)
	run := func() uint64 {
		mark++
		channelSend(messages, payloads.next())
		messages <- channelMessage{mark: mark}
		return seen.await(mark)
	}
	return &work{run: run, input: items, end: func() { close(messages) }}
}

var channelPayloads = shared(func(point) []uint64 {
	r, items := newRng(30), make([]uint64, pool)
	for at := range items {
		items[at] = r.next()
	}
	return items
})

// channelDue is a message, and when it was due to be sent.
type channelDue struct {
	due     time.Time
	payload uint64
}

// channelStream sends messages when they are due. How late each send is done is one metric, and how long each message is in the
// queue after that the other: 0 where the receiver was first.
func channelStream(p point, capacity, n int) (sum uint64, metrics readings) {
	messages, received, told := make(chan channelDue, capacity), newPacedTimes(n), make(chan uint64)
	go func() {
		told <- channelServe(messages, p.name, &received)
	}()
	r, sent := newRng(30), newPacedTimes(n)
	pacedOps(n, map[string]time.Duration{"stalls": 200, "overload": 25}[p.name]*time.Microsecond, func(due time.Time) {
		messages <- channelDue{due, r.next()}
		sent = append(sent, time.Since(due))
	})
	close(messages)
	sum = <-told
	for at := range received {
		received[at] = max(received[at]-sent[at], 0)
	}
	metrics = readings{}
	sent.tell(metrics, "")
	received.tell(metrics, "queue-")
	return sum, metrics
}

// channelServe serves each message by own work: of a fixed count, for a clock would count the time in which it did not run. In
// stalls each 250th is 12.5 messages long.
func channelServe(messages <-chan channelDue, name string, received *pacedTimes) (sum uint64) {
	service := turns{steps: map[string]int{"stalls": 100, "overload": 30}[name] * stepsPerMicrosecond}
	stall := turns{steps: 2_500 * stepsPerMicrosecond}
	for message := range messages {
		*received = append(*received, time.Since(message.due))
		service.take(message.payload)
		if name == "stalls" && len(*received)%250 == 0 {
			stall.take(message.payload)
		}
		sum += message.payload
	}
	return sum
}
