package trapline

import (
	"encoding/binary"
	"strings"
	"sync/atomic"
	"testing"
)

// In Go the compiler decides where a context lies. A call through a function variable may keep what it is given, so that a context
// behind a pointer goes to the heap; by value each stage gets a copy of its 88 bytes, in memory on amd64, where Go passes nine words
// in registers at most; direct calls it sees through, and the context stays on the stack.
// This differs from Rust: a pointer counts no owners, so that stages write nothing that they share, and the settings are a plain
// pointer; freed is nothing, but collected later, in the same clock. by_value is lent in Rust and copied here; Rust's moved, which
// gives its copy back, is no habit of Go's.

// carriedHead is what comes with every request.
type carriedHead struct {
	id, user, scopes, received, deadline uint64
}

// incomingRequest is a request as it comes in, in a buffer that is used again. Its query is such as page=abcdef&size=ghijkl, or
// empty where nothing is parsed.
type incomingRequest struct {
	head         carriedHead
	token, query string
}

type queryParam struct {
	name, value string
}

// siteSettings are what all requests share.
type siteSettings struct {
	quota uint64
}

// requestInfo is what is known of a request.
type requestInfo struct {
	head     carriedHead
	token    string
	params   []queryParam
	settings *siteSettings
}

// serveByPointer is the trap: the stages are unknown here, so that the context is a block of the heap.
func serveByPointer(in *incomingRequest, settings *siteSettings, stages []func(*requestInfo) uint64) string {
	info := &requestInfo{in.head, ownCopy(in.token), parseParams(in.query), settings}
	var answer uint64
	for _, stage := range stages {
		answer = mixed(answer, stage(info))
	}
	return respond(info.token, answer)
}

// serveByValue is the advice: each stage gets a copy, and the context stays on the stack.
func serveByValue(in *incomingRequest, settings *siteSettings, stages []func(requestInfo) uint64) string {
	info := requestInfo{in.head, ownCopy(in.token), parseParams(in.query), settings}
	var answer uint64
	for _, stage := range stages {
		answer = mixed(answer, stage(info))
	}
	return respond(info.token, answer)
}

// serveDirectly shares a pointer with stages that are known, and that keep nothing of it: the context stays on the stack, too.
func serveDirectly(in *incomingRequest, settings *siteSettings) string {
	info := &requestInfo{in.head, ownCopy(in.token), parseParams(in.query), settings}
	answer := mixed(0, info.authenticate())
	answer = mixed(answer, info.authorise())
	answer = mixed(answer, info.admit())
	answer = mixed(answer, info.trace())
	return respond(info.token, answer)
}

// serveUncarried is the floor: stages are known, and take what they use. The token stays where it came in.
func serveUncarried(in *incomingRequest, settings *siteSettings) string {
	params := parseParams(in.query)
	answer := mixed(0, tokenOf(in.token, in.head.user))
	answer = mixed(answer, mixed(in.head.user, in.head.scopes))
	answer = mixed(answer, mixed(in.head.deadline-in.head.received, settings.limit()))
	answer = mixed(answer, traced(in.head.id, params))
	return respond(in.token, answer)
}

// The stages are never inlined, so that a call by a known name is a call.

//go:noinline
func (c *requestInfo) authenticate() uint64 { return tokenOf(c.token, c.head.user) }

//go:noinline
func (c *requestInfo) authorise() uint64 { return mixed(c.head.user, c.head.scopes) }

//go:noinline
func (c *requestInfo) admit() uint64 {
	return mixed(c.head.deadline-c.head.received, c.settings.limit())
}

//go:noinline
func (c *requestInfo) trace() uint64 { return traced(c.head.id, c.params) }

// infoStages and infoCopyStages are variables: nobody knows at compile time who will be in them.
var (
	infoStages = []func(*requestInfo) uint64{
		(*requestInfo).authenticate, (*requestInfo).authorise, (*requestInfo).admit, (*requestInfo).trace,
	}
	infoCopyStages = []func(requestInfo) uint64{
		func(c requestInfo) uint64 { return tokenOf(c.token, c.head.user) },
		func(c requestInfo) uint64 { return mixed(c.head.user, c.head.scopes) },
		func(c requestInfo) uint64 { return mixed(c.head.deadline-c.head.received, c.settings.limit()) },
		func(c requestInfo) uint64 { return traced(c.head.id, c.params) },
	}
)

func tokenOf(token string, user uint64) uint64 {
	return binary.LittleEndian.Uint64([]byte(token[:8])) ^ user
}

func (s *siteSettings) limit() uint64 {
	if s == nil {
		return 0
	}
	return s.quota
}

func traced(id uint64, params []queryParam) uint64 {
	for _, param := range params {
		id += uint64(param.name[0]) * uint64(param.value[0])
	}
	return id
}

func mixed(sum, answer uint64) uint64 {
	return (sum<<7 | sum>>57) ^ answer
}

// ownCopy is a token that outlives the buffer. It is never inlined, nor are parseParams and respond: all arms run the same code, and
// none gets a copy on its stack.
//
//go:noinline
func ownCopy(token string) string {
	return strings.Clone(token)
}

// parseParams gives five parameters, which outlive the buffer as well.
//
//go:noinline
func parseParams(query string) []queryParam {
	if query == "" {
		return nil
	}
	params := make([]queryParam, 0, 5)
	for pair := ""; query != ""; {
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		params = append(params, queryParam{strings.Clone(name), strings.Clone(value)})
	}
	return params
}

//go:noinline
func respond(token string, answer uint64) string {
	var response strings.Builder
	response.Grow(96)
	response.WriteString(token)
	for at := range 16 {
		response.WriteByte("0123456789abcdef"[answer>>(4*at)&15])
	}
	return response.String()
}

var requestContext = register(trap{
	name: "request_context",
	points: []point{
		{n: 1_000, threads: 1, name: "lean", headline: true},
		{n: 1_000, threads: 1, name: "full"},
		{n: 1_000, threads: 2, name: "settings", headline: true},
	},
	arms: []arm{
		{name: "by_pointer", role: "trap", build: carrying(func(in *incomingRequest, settings *siteSettings) string {
			return serveByPointer(in, settings, infoStages)
		})},
		{name: "by_value", role: "fix", build: carrying(func(in *incomingRequest, settings *siteSettings) string {
			return serveByValue(in, settings, infoCopyStages)
		})},
		{name: "direct_calls", role: "fix", build: carrying(serveDirectly)},
		{name: "nothing_carried", role: "floor", build: carrying(serveUncarried)},
	},
})

func BenchmarkRequestContext(b *testing.B) {
	bench(b, requestContext)
}

func carrying(serve func(*incomingRequest, *siteSettings) string) func(point) *work {
	return func(p point) *work {
		all := incomingRequests(p)
		total := func(requests []incomingRequest) (sum uint64) {
			for at := range requests {
				sum += responseSum(serve(&requests[at], all.settings))
			}
			return sum
		}
		if p.threads > 1 {
			return sharingRequests(p, all, total)
		}
		requests := newWindows(all.requests, p.n)
		return &work{run: func() uint64 { return total(requests.next()) }, input: all}
	}
}

// sharingRequests gives each worker its part of each run's requests.
func sharingRequests(p point, all *requestsOfAPoint, total func([]incomingRequest) uint64) *work {
	var sum atomic.Uint64
	part, runs := p.n/p.threads, make([]*windows[incomingRequest], p.threads)
	for worker := range runs {
		runs[worker] = newWindows(all.requests, p.n)
	}
	share := func(worker int) {
		sum.Add(total(runs[worker].next()[worker*part:][:part]))
	}
	run := func() uint64 {
		sum.Store(0)
		together(p.threads, share)
		return sum.Load()
	}
	return &work{run: run, share: share, input: all}
}

// responseSum is of all 48 bytes of a response.
func responseSum(response string) (sum uint64) {
	for at := 0; at < len(response); at += 8 {
		sum = (sum ^ binary.LittleEndian.Uint64([]byte(response[at:at+8]))) * 0x9E3779B97F4A7C15
	}
	return sum
}

type requestsOfAPoint struct {
	requests []incomingRequest
	settings *siteSettings
}

var incomingRequests = shared(func(p point) requestsOfAPoint {
	r, all := newRng(22), requestsOfAPoint{requests: make([]incomingRequest, 16_384)}
	if p.name == "settings" {
		all.settings = &siteSettings{r.next()}
	}
	for at := range all.requests {
		head := carriedHead{r.below(1 << 40), r.below(1 << 40), r.below(1 << 40), r.below(1 << 40), r.below(1 << 40)}
		head.deadline += head.received
		var query []string
		if p.name == "full" {
			for _, name := range []string{"page", "size", "sort", "lang", "zone"} {
				query = append(query, name+"="+drawnText(r, 6))
			}
		}
		all.requests[at] = incomingRequest{head, drawnText(r, 32), strings.Join(query, "&")}
	}
	return all
})

func drawnText(r *rng, length int) string {
	text := make([]byte, length)
	for at := range text {
		text[at] = r.letter()
	}
	return string(text)
}
