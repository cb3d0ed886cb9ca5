package trapline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// GOMAXPROCS is how many threads run Go code at a time. A go statement wakes one more of them if one is idle and none is looking
// for work, and with more of them than CPUs the kernel takes turns among them. A goroutine that sleeps needs no thread. Since 1.25
// the default reads the cgroup's quota, rounded up, and two at least; the module's go line or GODEBUG=containermaxprocs has to say
// so, which the processes of the fix do.
// It differs from Rust: workers are goroutines that each fan-out starts anew, and nothing is pinned. So the number in the file is
// two numbers, and goroutines_of_file takes it for the goroutines alone. procs_of_quota, with a quota only, is the number that the
// quota allows, as automaxprocs sets it. Each arm runs in a process of its own, a millisecond asleep before each fan-out.

// poolUnits are units of work of one kind.
type poolUnits struct {
	seeds []uint64
	wait  time.Duration
}

func (u *poolUnits) do(at int) uint64 {
	value := ownWork(stepsPerMicrosecond, u.seeds[at])
	if u.wait > 0 {
		time.Sleep(u.wait)
	}
	return value
}

// fanOutUnits starts so many goroutines, each of which takes the next unit until none is left. The trap is to start a number of them
// that was right elsewhere, and GOMAXPROCS with it.
func fanOutUnits(workers int, units *poolUnits) uint64 {
	var next, sum atomic.Uint64
	var done sync.WaitGroup
	for range workers {
		done.Add(1)
		go func() {
			defer done.Done()
			var own uint64
			for at := next.Add(1) - 1; at < uint64(len(units.seeds)); at = next.Add(1) - 1 {
				own += units.do(int(at))
			}
			sum.Add(own)
		}()
	}
	done.Wait()
	return sum.Load()
}

// fanOutByCPUs is the advice: leave GOMAXPROCS alone, and ask it.
func fanOutByCPUs(units *poolUnits) uint64 {
	return fanOutUnits(runtime.GOMAXPROCS(0), units)
}

// splitUnits is the floor: each goroutine knows its part before it starts.
func splitUnits(workers int, units *poolUnits) uint64 {
	var sum atomic.Uint64
	all := len(units.seeds)
	share := (all + workers - 1) / workers
	together(workers, func(worker int) {
		var own uint64
		for at := min(all, worker*share); at < min(all, (worker+1)*share); at++ {
			own += units.do(at)
		}
		sum.Add(own)
	})
	return sum.Load()
}

var oversubscription = register(trap{
	name: "oversubscription",
	points: []point{
		{n: 1_000, threads: 64, name: "cpu", headline: true},
		{n: 256, threads: 64, name: "wait"},
		{n: 200_000, threads: 64, name: "quota=1cpu"},
	},
	arms: []arm{
		{name: "pool_of_threads", role: "trap", build: oversized("pool_of_threads", "")},
		{name: "pool_of_cpus", role: "fix", build: oversized("pool_of_cpus", "")},
		{name: "goroutines_of_file", role: "fix", build: oversized("goroutines_of_file", "quota=1cpu")},
		{name: "procs_of_quota", role: "fix", build: oversized("procs_of_quota", "cpu wait")},
		{name: "static_split", role: "floor", build: oversized("static_split", "wait quota=1cpu")},
	},
})

func BenchmarkOversubscription(b *testing.B) {
	bench(b, oversubscription)
}

// oversized builds an arm, but for the cases that leave it out.
func oversized(arm, without string) func(point) *work {
	return func(p point) *work {
		if slices.Contains(strings.Fields(without), p.name) {
			return nil
		}
		measure := func(b *testing.B) {
			settings := []string{"GOMAXPROCS=" + procsOf(arm, p), "GODEBUG=containermaxprocs=1"}
			if strings.HasPrefix(p.name, "quota") {
				group, err := newQuota()
				if err != nil {
					fmt.Fprintf(os.Stderr, "%s is left out: %v\n", b.Name(), err)
					b.SkipNow()
				}
				defer os.Remove(group)
				settings = append(settings, "TRAPLINE_GROUP="+group)
			}
			elsewhere("oversubscription", arm, p, settings...)(b)
		}
		return &work{run: func() uint64 { return oversizedRun(arm, p)() }, measure: measure}
	}
}

// procsOf is what the file says of GOMAXPROCS; nothing stands for the default.
func procsOf(arm string, p point) string {
	return map[string]string{"pool_of_threads": fmt.Sprint(p.threads), "procs_of_quota": "1"}[arm]
}

func oversizedRun(arm string, p point) func() uint64 {
	r, units := newRng(25), &poolUnits{seeds: make([]uint64, p.n)}
	for at := range units.seeds {
		units.seeds[at] = r.next()
	}
	if p.name == "wait" {
		units.wait = 100 * time.Microsecond
	}
	switch arm {
	case "pool_of_threads", "goroutines_of_file":
		return func() uint64 { return fanOutUnits(p.threads, units) }
	case "static_split":
		return func() uint64 { return splitUnits(runtime.GOMAXPROCS(0), units) }
	}
	return func() uint64 { return fanOutByCPUs(units) }
}

// fanOutAgain does fan-outs for a tenth of a second, one at least, after a small one that starts the threads.
func fanOutAgain(arm string, p point) readings {
	group := os.Getenv("TRAPLINE_GROUP")
	enterQuota(group)
	sink += oversizedRun(arm, point{n: p.threads, threads: p.threads, name: p.name})()
	run := oversizedRun(arm, p)
	var spent time.Duration
	runs := 0
	used := growth(func() {
		for began := time.Now(); runs == 0 || time.Since(began) < 100*time.Millisecond; runs++ {
			time.Sleep(time.Millisecond)
			start := time.Now()
			sink += run()
			spent += time.Since(start)
		}
	})
	read := readings{"ns/op": float64(spent) / float64(runs), "threads": numberIn("/proc/self/status", "Threads:")}
	read["B/op"], read["allocs/op"] = used["B"]/float64(runs), used["blocks"]/float64(runs)
	for _, name := range []string{"cpu-ns", "waits", "preempted"} {
		read[name+"/unit"] = used[name] / float64(runs*p.n)
	}
	if group != "" {
		share, stood := throttled(group)
		read["throttled-share"], read["throttled-ns/unit"] = share, float64(stood)/float64(runs*p.n)
	}
	return read
}

// throttled is the share of periods in which the kernel stopped a group, since it was made, and the time that its CPUs then stood
// still, added up over them, as version 1 of cgroups names it or version 2.
func throttled(group string) (share float64, stood time.Duration) {
	of := func(key string) float64 { return numberIn(filepath.Join(group, "cpu.stat"), key) }
	share = of("nr_throttled") / max(of("nr_periods"), 1)
	return share, time.Duration(of("throttled_time") + 1e3*of("throttled_usec"))
}

func init() {
	roles["oversubscription"] = telling(fanOutAgain)
}

// newQuota makes a group that has the time of one CPU, 100 ms in each 100 ms.
func newQuota() (string, error) {
	above, file := cpuController()
	if above == "" {
		return "", errors.New("no quota can be set: no cgroup here has the controller of CPUs")
	}
	group := filepath.Join(above, fmt.Sprintf("trapline-go-%d", os.Getpid()))
	err := os.Mkdir(group, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(group, file), []byte("100000"), 0o644)
	}
	if err != nil {
		os.Remove(group)
		return "", fmt.Errorf("no quota can be set in %s: %w", above, err)
	}
	return group, nil
}

// cpuController is the folder of the group that this process is in, and its file for a quota: version 1's if it has the CPUs.
func cpuController() (folder, file string) {
	groups, _ := os.ReadFile("/proc/self/cgroup")
	mounts, _ := os.ReadFile("/proc/self/mounts")
	for _, line := range strings.Split(string(mounts), "\n") {
		mount := strings.Fields(line)
		if len(mount) < 4 {
			continue
		}
		switch version, options := mount[2], strings.Split(mount[3], ","); {
		case version == "cgroup" && slices.Contains(options, "cpu"):
			return groupInside(mount[1], string(groups), "cpu"), "cpu.cfs_quota_us"
		case version == "cgroup2":
			folder, file = groupInside(mount[1], string(groups), ""), "cpu.max"
		}
	}
	return folder, file
}

// groupInside is the group of a controller in its hierarchy. In a container its name may be one that is not to be seen there.
func groupInside(mount, groups, controller string) string {
	for _, line := range strings.Split(groups, "\n") {
		group := strings.SplitN(line, ":", 3)
		if len(group) == 3 && slices.Contains(strings.Split(group[1], ","), controller) {
			inside := filepath.Join(mount, group[2])
			if _, err := os.Stat(inside); err == nil {
				return inside
			}
		}
	}
	return mount
}

// enterQuota puts this process into a group, if there is one to enter, and starts it anew: the runtime asks for the CPUs at its start.
func enterQuota(group string) {
	if group == "" || os.Getenv("TRAPLINE_INSIDE") != "" {
		return
	}
	// 0 stands for who writes.
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		panic(err)
	}
	panic(syscall.Exec(os.Args[0], os.Args, append(os.Environ(), "TRAPLINE_INSIDE=1")))
}
