package trapline

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// An anyCall is what a handler is called with: 32 bytes that point to nothing.
//
// A value that is not one pointer becomes an interface by runtime.convT: a block, and a copy into it. With a callee in a variable
// the compiler has to take it that the value escapes. A pointer becomes an interface without a block, and 32 bytes by value go
// through registers.
//
// The twin differs in three points. Blocks are freed by the collector, whose work is in the trap's time. In rpc json.Unmarshal has
// the request on the heap in every arm, beside its two strings. And whatever is encoded by value, as the trap's request at the end,
// is copied to the heap once more by newer versions of encoding/json (seen with Go 1.27): six blocks there, where Rust has five.
type anyCall struct {
	account, item, count, cents uint64
}

func (c *anyCall) price() uint64 {
	return c.count*c.cents + (c.account ^ c.item)
}

// The handlers are set at start-up, in variables: the compiler can't see the callee. Another type is answered with 0.
var (
	handleAnyValue = func(call any) uint64 {
		if c, ok := call.(anyCall); ok {
			return c.price()
		}
		return 0
	}
	handleAnyRef = func(call any) uint64 {
		if c, ok := call.(*anyCall); ok {
			return c.price()
		}
		return 0
	}
	handleCallRef   = (*anyCall).price
	handleCallValue = func(call anyCall) uint64 { return call.price() }
)

// callBoxedAny is the trap: the handler takes anything, so that each call gets a block of its own.
func callBoxedAny(calls []anyCall) (sum uint64) {
	for _, call := range calls {
		sum += handleAnyValue(call)
	}
	return sum
}

// callConcreteRef is the advice: the handler names the type, and gets a pointer.
func callConcreteRef(calls []anyCall) (sum uint64) {
	for i := range calls {
		sum += handleCallRef(&calls[i])
	}
	return sum
}

// callAnyRef hides the type, but hands on a pointer: an interface holds it as it is.
func callAnyRef(calls []anyCall) (sum uint64) {
	for i := range calls {
		sum += handleAnyRef(&calls[i])
	}
	return sum
}

// callConcreteValue names the type, and hands on a copy.
func callConcreteValue(calls []anyCall) (sum uint64) {
	for _, call := range calls {
		sum += handleCallValue(call)
	}
	return sum
}

// callInlined is the floor: the handler is known, and no call is left.
func callInlined(calls []anyCall) (sum uint64) {
	for i := range calls {
		sum += calls[i].price()
	}
	return sum
}

// An anyRequest is a request as it is decoded.
type anyRequest struct {
	ID    uint64 `json:"id"`
	User  string `json:"user"`
	SKU   string `json:"sku"`
	Count uint64 `json:"count"`
	Cents uint64 `json:"cents"`
}

// pass is what a stage does: the four number, price, discount and stamp a request.
func (r *anyRequest) pass(stage int) {
	switch stage {
	case 0:
		r.ID += r.Count
	case 1:
		r.Cents *= r.Count
	case 2:
		r.Cents -= r.Cents >> 4
	default:
		r.ID ^= r.Cents
	}
}

// The stages of a handler are in variables, as the handlers are. Another type passes as it is.
var (
	stagesBoxedAny = fourStages(func(stage int) func(any) any {
		return func(request any) any {
			if r, ok := request.(anyRequest); ok {
				r.pass(stage)
				return r
			}
			return request
		}
	})
	stagesAnyRef = fourStages(func(stage int) func(any) {
		return func(request any) {
			if r, ok := request.(*anyRequest); ok {
				r.pass(stage)
			}
		}
	})
	stagesConcreteRef = fourStages(func(stage int) func(*anyRequest) {
		return func(r *anyRequest) { r.pass(stage) }
	})
	stagesConcreteValue = fourStages(func(stage int) func(anyRequest) anyRequest {
		return func(r anyRequest) anyRequest { r.pass(stage); return r }
	})
)

func fourStages[F any](stage func(int) F) []F {
	return []F{stage(0), stage(1), stage(2), stage(3)}
}

// serveBoxedAny is the trap in a handler: a block for the request as anything, and one more a stage.
func serveBoxedAny(body []byte, reply *json.Encoder) error {
	var decoded anyRequest
	if err := json.Unmarshal(body, &decoded); err != nil {
		return err
	}
	var request any = decoded
	for _, stage := range stagesBoxedAny {
		request = stage(request)
	}
	return reply.Encode(request)
}

// serveConcreteRef is the advice in a handler: the stages change the request where it is.
func serveConcreteRef(body []byte, reply *json.Encoder) error {
	var request anyRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	for _, stage := range stagesConcreteRef {
		stage(&request)
	}
	return reply.Encode(&request)
}

// serveAnyRef has stages that take anything, and hands them a pointer.
func serveAnyRef(body []byte, reply *json.Encoder) error {
	var request anyRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	for _, stage := range stagesAnyRef {
		stage(&request)
	}
	return reply.Encode(&request)
}

// serveConcreteValue has stages that take the request and give it back.
func serveConcreteValue(body []byte, reply *json.Encoder) error {
	var request anyRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	for _, stage := range stagesConcreteValue {
		request = stage(request)
	}
	return reply.Encode(&request)
}

// serveInlined is the floor in a handler: the stages are known, and no call is left.
func serveInlined(body []byte, reply *json.Encoder) error {
	var request anyRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	request.pass(0)
	request.pass(1)
	request.pass(2)
	request.pass(3)
	return reply.Encode(&request)
}

var boxedAny = register(trap{
	name: "boxed_any",
	points: []point{
		{n: 1_000, threads: 1, name: "call", headline: true},
		{n: 1_000, threads: 1, name: "rpc", headline: true},
	},
	arms: []arm{
		{name: "boxed_any", role: "trap", build: anyWork(callBoxedAny, serveBoxedAny)},
		{name: "concrete_ref", role: "fix", build: anyWork(callConcreteRef, serveConcreteRef)},
		{name: "any_ref", role: "fix", build: anyWork(callAnyRef, serveAnyRef)},
		{name: "concrete_value", role: "fix", build: anyWork(callConcreteValue, serveConcreteValue)},
		{name: "inlined", role: "floor", build: anyWork(callInlined, serveInlined)},
	},
})

func BenchmarkBoxedAny(b *testing.B) {
	bench(b, boxedAny)
}

func anyWork(call func([]anyCall) uint64, serve func([]byte, *json.Encoder) error) func(point) *work {
	return func(p point) *work {
		if p.name == "call" {
			all := anyCalls(p)
			calls := newWindows(*all, p.n)
			return &work{run: func() uint64 { return call(calls.next()) }, input: all}
		}
		all := anyBodies(p)
		bodies, reply := newWindows(*all, p.n), new(bytes.Buffer)
		encoder := json.NewEncoder(reply) // it and its buffer are kept by all arms
		return &work{input: all, run: func() (sum uint64) {
			for _, body := range bodies.next() {
				reply.Reset()
				if err := serve(body, encoder); err != nil {
					panic(err)
				}
				sum += anyChecksum(bytes.TrimSuffix(reply.Bytes(), []byte{'\n'})) // serde_json ends no line
			}
			return sum
		}}
	}
}

var anyCalls = shared(func(point) []anyCall {
	r := newRng(20)
	calls := make([]anyCall, pool)
	for at := range calls {
		calls[at] = anyCall{r.next(), r.next(), r.next(), r.next()}
	}
	return calls
})

// anyBodies are requests as they come in, all of 71 bytes.
var anyBodies = shared(func(point) [][]byte {
	r := newRng(21)
	bodies := make([][]byte, 4_096)
	for at := range bodies {
		var text [16]byte
		for letter := range text {
			text[letter] = r.letter()
		}
		id, count, cents := r.within(10_000, 100_000), r.within(10, 100), r.within(1_000, 10_000)
		body, err := json.Marshal(anyRequest{id, string(text[:8]), string(text[8:]), count, cents})
		if err != nil {
			panic(err)
		}
		bodies[at] = body
	}
	return bodies
})

// anyChecksum is of all bytes, and of their places.
func anyChecksum(all []byte) uint64 {
	words := len(all) / 8 * 8
	sum := uint64(len(all))
	for _, letter := range all[words:] {
		sum = sum<<8 ^ uint64(letter)
	}
	for at := 0; at < words; at += 8 {
		sum = (sum ^ binary.LittleEndian.Uint64(all[at:])) * 0x9E3779B97F4A7C15
	}
	return sum
}
