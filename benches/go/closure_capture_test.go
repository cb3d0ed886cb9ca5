package trapline

import (
	"sync"
	"sync/atomic"
	"testing"
)

// In Go a closure that goes through a channel outlives the call that made it, as far as the compiler knows, so that it is a block of
// the heap. A captured variable that never changes and has 128 bytes at most is copied into that block; another gets one of its own.
// This differs from Rust: what a job points to is shared and never cloned, so that the block has a few words where Rust's clone has
// a KiB, and no worker frees it, for the collector does. A job that borrows needs no scope; the first fix sends a pointer instead.
// Workers are parked before a run and not awake, so that waking them is in the clock. They add to sums of their own, as in Rust;
// rayon counts its jobs down one by one, as the WaitGroup of the first two arms does.

// capturedJob is what a job reads.
type capturedJob struct {
	words []uint64
	steps int
}

// work folds the words, each multiplication waiting for the one before, and does its own work behind it.
//
//go:noinline
func (j capturedJob) work() uint64 {
	x := uint64(1)
	for _, word := range j.words {
		x = (x ^ word) * 0xBF58476D1CE4E5B9
	}
	return ownWork(j.steps, x)
}

// closureAJob is the trap: each job is a closure, a block that lives until its worker has called it.
func closureAJob(jobs []capturedJob, tasks chan<- func() uint64, done *sync.WaitGroup) {
	done.Add(len(jobs))
	for _, job := range jobs {
		tasks <- func() uint64 { return job.work() }
	}
	done.Wait()
}

// doTasks is its worker.
func doTasks(tasks <-chan func() uint64, sum *uint64, done *sync.WaitGroup) {
	for task := range tasks {
		*sum += task()
		done.Done()
	}
}

// structAJob is the advice: workers know what a job is, and are sent where it lies.
func structAJob(jobs []capturedJob, queue chan<- *capturedJob, done *sync.WaitGroup) {
	done.Add(len(jobs))
	for at := range jobs {
		queue <- &jobs[at]
	}
	done.Wait()
}

// doJobs is its worker.
func doJobs(queue <-chan *capturedJob, sum *uint64, done *sync.WaitGroup) {
	for job := range queue {
		*sum += job.work()
		done.Done()
	}
}

// claimJobs is the worker where nobody sends: each job goes to whoever counts up to it.
func claimJobs(jobs []capturedJob, next *atomic.Int64, sum *uint64) {
	for at := int(next.Add(1)) - 1; at < len(jobs); at = int(next.Add(1)) - 1 {
		*sum += jobs[at].work()
	}
}

// foldPart is the floor's worker: it has its part before it starts.
func foldPart(part []capturedJob, sum *uint64) {
	for at := range part {
		*sum += part[at].work()
	}
}

var closureCapture = register(trap{
	name: "closure_capture",
	points: []point{
		{n: 10_000, threads: 2, name: "200ns", headline: true},
		{n: 1_000, threads: 2, name: "10us"},
	},
	arms: []arm{
		{name: "closure_a_job", role: "trap", build: handingOut(doTasks, closureAJob)},
		{name: "struct_a_job", role: "fix", build: handingOut(doJobs, structAJob)},
		{name: "claimed_jobs", role: "fix", build: splittingUp(func(r *jobRun, worker int) {
			claimJobs(r.jobs, &r.next.it, &r.sums[worker].it)
		})},
		{name: "static_split", role: "floor", build: splittingUp(func(r *jobRun, worker int) {
			foldPart(r.part(worker), &r.sums[worker].it)
		})},
	},
})

func BenchmarkClosureCapture(b *testing.B) {
	bench(b, closureCapture)
}

// jobRun is what the caller and the workers share.
type jobRun struct {
	jobs []capturedJob
	next ownLines[atomic.Int64]
	sums []ownLines[uint64] // each worker's
}

func (r *jobRun) reset() {
	r.next.it.Store(0)
	clear(r.sums)
}

func (r *jobRun) total() (total uint64) {
	for worker := range r.sums {
		total += r.sums[worker].it
	}
	return total
}

func (r *jobRun) part(worker int) []capturedJob {
	all, workers := len(r.jobs), len(r.sums)
	return r.jobs[all*worker/workers : all*(worker+1)/workers]
}

// handingOut makes an arm whose caller sends jobs to workers, through a channel with room for all.
func handingOut[T any](
	do func(<-chan T, *uint64, *sync.WaitGroup),
	handOut func([]capturedJob, chan<- T, *sync.WaitGroup),
) func(point) *work {
	return func(p point) *work {
		all := capturedJobs(p)
		r := &jobRun{jobs: *all, sums: make([]ownLines[uint64], p.threads)}
		queue, done := make(chan T, p.n), new(sync.WaitGroup)
		for worker := range r.sums {
			go do(queue, &r.sums[worker].it, done)
		}
		run := func() uint64 {
			r.reset()
			handOut(r.jobs, queue, done)
			return r.total()
		}
		return &work{run: run, input: all, end: func() { close(queue) }}
	}
}

// splittingUp makes an arm whose workers find their jobs themselves.
func splittingUp(part func(r *jobRun, worker int)) func(point) *work {
	return func(p point) *work {
		all := capturedJobs(p)
		r := &jobRun{jobs: *all, sums: make([]ownLines[uint64], p.threads)}
		crew := newParkedCrew(p.threads, func(worker int) { part(r, worker) })
		run := func() uint64 {
			r.reset()
			crew.call()
			crew.done.Wait()
			return r.total()
		}
		return &work{run: run, input: all, end: crew.end}
	}
}

var capturedJobs = shared(func(p point) []capturedJob {
	r, steps := newRng(24), 0
	if p.name == "10us" {
		steps = 10 * stepsPerMicrosecond
	}
	jobs := make([]capturedJob, p.n)
	for at := range jobs {
		words := make([]uint64, 128)
		for word := range words {
			words[word] = r.next()
		}
		jobs[at] = capturedJob{words, steps}
	}
	return jobs
})
