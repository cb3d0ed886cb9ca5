package trapline

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/bits"
	"sync"
	"testing"
)

// A pooledResponse is what a service answers.
//
// json.Marshal encodes into a pooled buffer of its own, and copies the result into a new slice of the right size: the trap is one
// block and one copy, and nothing grows. json.Encoder encodes into the same inner buffer and then writes, so that whoever keeps a
// buffer saves the block, not the copy. What is dropped waits for the collector, whose work is in the time.
//
// The twin differs in two points. sync.Pool keeps a list a processor, and the collector empties it; it stands where Rust has the
// thread's own buffer, for a goroutine has no thread. And json.Encoder ends with a new line, which is cut off before sending.
type pooledResponse struct {
	ID    uint64       `json:"id"`
	Items []pooledItem `json:"items,omitempty"`
}

type pooledItem struct {
	SKU   string `json:"sku"`
	Name  string `json:"name"`
	Cents uint32 `json:"cents"`
}

// sendFresh is the trap: a slice for this response only, which is garbage once it is sent.
func sendFresh(w io.Writer, response *pooledResponse) error {
	body, err := json.Marshal(response)
	if err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}

var pooledBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// sendPooled is the advice: a buffer that responses before it have made large enough. Without Reset the last of them would be sent
// once more.
func sendPooled(w io.Writer, response *pooledResponse) error {
	buffer := pooledBuffers.Get().(*bytes.Buffer)
	defer pooledBuffers.Put(buffer)
	buffer.Reset()
	return sendThrough(buffer, w, response)
}

// sendFreshBuffer is the fix that is the trap again: its buffer is fresh too.
func sendFreshBuffer(w io.Writer, response *pooledResponse) error {
	return sendThrough(new(bytes.Buffer), w, response)
}

// sendCallerBuffer is the floor: the caller owns the buffer, and passes it down.
func sendCallerBuffer(buffer *bytes.Buffer, w io.Writer, response *pooledResponse) error {
	buffer.Reset()
	return sendThrough(buffer, w, response)
}

func sendThrough(buffer *bytes.Buffer, w io.Writer, response *pooledResponse) error {
	if err := json.NewEncoder(buffer).Encode(response); err != nil {
		return err
	}
	buffer.Truncate(buffer.Len() - 1) // the new line
	_, err := w.Write(buffer.Bytes())
	return err
}

var bufferPool = register(trap{
	name: "buffer_pool",
	points: []point{
		{n: 64, threads: 1, name: "24B"},
		{n: 16, threads: 1, name: "3KiB", headline: true},
		{n: 16, threads: 2, name: "3KiB", headline: true},
	},
	arms: []arm{
		{name: "to_vec", role: "trap", build: pooledWork(sendFresh)},
		{name: "sync_pool", role: "fix", build: pooledWork(sendPooled)},
		{name: "to_writer_empty", role: "fix", build: pooledWork(sendFreshBuffer)},
		{name: "caller_buffer", role: "floor", build: func(p point) *work {
			return sendingWork(p, func(sender *pooledSender, response *pooledResponse) error {
				return sendCallerBuffer(&sender.own, sender, response)
			})
		}},
	},
})

func BenchmarkBufferPool(b *testing.B) {
	bench(b, bufferPool)
}

func TestAPooledBufferIsDirtyUnlessItIsReset(t *testing.T) {
	for range 1_000 { // a goroutine that moves between Put and Get may find another processor's list
		buffer := pooledBuffers.Get().(*bytes.Buffer)
		buffer.WriteString("the last customer's response")
		pooledBuffers.Put(buffer)
		if pooledBuffers.Get().(*bytes.Buffer).Len() > 0 {
			return
		}
	}
	t.Error("every buffer came back clean")
}

// A pooledSender is a worker with the responses that it sends, and it is the socket, too: it takes a checksum whose cost does not
// grow with the body.
type pooledSender struct {
	responses           []pooledResponse
	first, at, n, apart int
	own                 bytes.Buffer
	sum                 uint64
}

// next gives the sender's next window; those between belong to the others.
func (s *pooledSender) next() []pooledResponse {
	if s.at+s.n > len(s.responses) {
		s.at = s.first
	}
	window := s.responses[s.at : s.at+s.n]
	s.at += s.apart
	return window
}

func (s *pooledSender) Write(body []byte) (int, error) {
	first, last := binary.LittleEndian.Uint64(body), binary.LittleEndian.Uint64(body[len(body)-8:])
	s.sum += (bits.RotateLeft64(first, 17) ^ last ^ uint64(len(body))) * 0x9E3779B97F4A7C15
	return len(body), nil
}

func pooledWork(send func(io.Writer, *pooledResponse) error) func(point) *work {
	return func(p point) *work {
		return sendingWork(p, func(sender *pooledSender, response *pooledResponse) error { return send(sender, response) })
	}
}

// sendingWork shares the n responses of a run among the threads: each takes the next window of its own.
func sendingWork(p point, send func(*pooledSender, *pooledResponse) error) *work {
	all := pooledResponses(p)
	senders := pooledSenders(p, *all)
	share := func(worker int) {
		sender := senders[worker]
		window := sender.next()
		for at := range window {
			if err := send(sender, &window[at]); err != nil {
				panic(err)
			}
		}
	}
	if p.threads == 1 {
		return &work{run: func() uint64 { share(0); return senders[0].sum }, input: all}
	}
	run := func() (sum uint64) {
		together(p.threads, share)
		for _, sender := range senders {
			sum += sender.sum
		}
		return sum
	}
	return &work{run: run, share: share, input: all}
}

// pooledSenders deals out the windows in turns. No two senders share a line.
func pooledSenders(p point, responses []pooledResponse) []*pooledSender {
	n := p.n / p.threads
	senders := make([]*pooledSender, p.threads)
	for worker := range senders {
		senders[worker] = onOwnLines[pooledSender]()
		*senders[worker] = pooledSender{responses: responses, first: worker * n, at: worker * n, n: n, apart: p.n}
	}
	return senders
}

// pooledResponses are of about 100 000 items, or as many without items: the branch predictor can't learn them. The items bring the
// JSON to the size of the case.
var pooledResponses = shared(func(p point) []pooledResponse {
	r := newRng(5)
	items := map[string]int{"24B": 0, "3KiB": 55}[p.name]
	responses := make([]pooledResponse, 100_000/max(items, 1))
	for at := range responses {
		if at%20 == 0 {
			r.below(20) // which of twenty is large in the case mixed, which is not here
		}
		responses[at].ID = 10_000_000_000_000_000 + uint64(at)
		responses[at].Items = make([]pooledItem, items)
		for item := range items {
			responses[at].Items[item] = randomItem(r)
		}
	}
	return responses
})

func randomItem(r *rng) pooledItem {
	letters := make([]byte, 8+6+r.below(13))
	for at := range letters {
		letters[at] = r.letter()
	}
	text := string(letters)
	return pooledItem{text[:8], text[8:], uint32(r.within(10_000, 100_000))}
}
