// The choice of threads on a simulated machine: cores that runnable threads share in turn, and compute threads that take chunks of an
// operation from each other and spin until all of them have come.
#include "threads.h"
#include "check.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace {

// What a step is made of.
struct Work {
    const char * name;
    int operations;
    double seconds; // of one operation, on one thread
    double share;   // of it that more threads make shorter
};

// Work like that of a large model, where threads pay, and of a small one, where they hardly do.
const Work large  = { "large", 60, 4e-3, 0.95 };
const Work middle = { "middle", 100, 2e-4, 0.9 };
const Work small  = { "small", 60, 5e-5, 0.35 };

class Machine {
public:
    Machine(int cores, int busy, double slice = 3e-3) : slice(slice), on(cores, nullptr), left(cores, 0.0) { load(busy); }

    void load(int busy) {
        while ((int)others.size() < busy) {
            others.push_back(std::make_unique<Thread>());
            ready.push_back(others.back().get());
        }
        while ((int)others.size() > busy) {
            gone(others.back().get());
            others.pop_back();
        }
    }

    // One step on so many threads, until it is done or `enough` says that it is.
    Spent step(const Work & work, int threads, const std::function<bool(const Spent &)> & enough, bool & broken_off) {
        while ((int)team.size() < threads) team.push_back(std::make_unique<Thread>());
        for (int i = 0; i < threads; i++) {
            Thread & thread = *team[i];
            thread.computes = true;
            if (!running(&thread) && std::find(ready.begin(), ready.end(), &thread) == ready.end()) ready.push_back(&thread);
        }
        const double speedup = 1.0 / (1.0 - work.share + work.share / threads);
        Spent spent;
        broken_off = false;
        for (int operation = 0; operation < work.operations && !broken_off; operation++) {
            const int n_chunks = threads == 1 ? 1 : 4 * threads;
            chunk              = threads == 1 ? work.seconds : work.seconds * threads / speedup / n_chunks;
            chunks             = n_chunks;
            for (int i = 0; i < threads; i++) {
                team[i]->arrived   = false;
                team[i]->remaining = 0.0;
            }
            while (!std::all_of(team.begin(), team.begin() + threads, [](const auto & thread) { return thread->arrived; })) advance(spent);
            broken_off = enough(spent);
        }
        for (int i = 0; i < threads; i++) {
            team[i]->computes = false;
            if (i > 0) gone(team[i].get());
        }
        return spent;
    }

private:
    struct Thread {
        bool computes    = false;
        bool arrived     = false;
        double remaining = 0.0; // of the chunk it has
    };

    bool running(const Thread * thread) const { return std::find(on.begin(), on.end(), thread) != on.end(); }

    void gone(Thread * thread) {
        ready.erase(std::remove(ready.begin(), ready.end(), thread), ready.end());
        std::replace(on.begin(), on.end(), thread, (Thread *)nullptr);
    }

    // To the next moment at which something changes.
    void advance(Spent & spent) {
        for (size_t core = 0; core < on.size(); core++) {
            if (on[core] && left[core] > 1e-9) continue;
            if (on[core]) ready.push_back(on[core]);
            on[core] = ready.empty() ? nullptr : ready.front();
            if (on[core]) ready.pop_front();
            left[core] = slice * (0.8 + 0.4 * (double)(random = random * 1664525u + 1013904223u) / 4294967296.0);
        }
        double time = std::numeric_limits<double>::infinity();
        for (size_t core = 0; core < on.size(); core++) {
            Thread * thread = on[core];
            if (!thread) continue;
            time = std::min(time, left[core]);
            if (!thread->computes || thread->arrived) continue;
            if (thread->remaining <= 0.0 && chunks > 0) {
                chunks--;
                thread->remaining = chunk;
            }
            if (thread->remaining <= 0.0) {
                thread->arrived = true;
                time            = 0.0;
            } else
                time = std::min(time, thread->remaining);
        }
        spent.wall += time;
        for (size_t core = 0; core < on.size(); core++) {
            Thread * thread = on[core];
            if (!thread) continue;
            left[core] -= time;
            if (thread == team[0].get()) spent.on_core += time;
            if (thread->computes && !thread->arrived) {
                thread->remaining -= time;
                if (thread->remaining < 1e-12) thread->remaining = 0.0;
            }
        }
    }

    double slice;
    std::vector<Thread *> on;
    std::vector<double> left;
    std::deque<Thread *> ready;
    std::vector<std::unique_ptr<Thread>> others;
    std::vector<std::unique_ptr<Thread>> team;
    double chunk    = 0.0;
    int chunks      = 0;
    uint32_t random = 1;
};

// Seconds that so many steps take.
double run(Machine & machine, const Work & work, Threads & threads, int steps, int32_t rows = 4) {
    double seconds = 0.0;
    for (int i = 0; i < steps; i++) {
        for (;;) {
            const int32_t n  = threads.begin(rows, false);
            bool broken_off  = false;
            const auto spent = machine.step(
                work, n, [&](const Spent & so_far) { return threads.starved(so_far); }, broken_off);
            seconds += spent.wall;
            broken_off ? threads.broken_off(spent) : threads.done(spent);
            if (!broken_off) break;
        }
    }
    return seconds;
}

double on_a_fixed_number(int cores, int busy, const Work & work, int n, int steps) {
    Machine machine(cores, busy);
    Threads threads({ n, false, true });
    return run(machine, work, threads, steps);
}

// Against every fixed number of threads, and against what a fair scheduler gives to one thread.
void beside_others() {
    for (const Work & work : { large, middle, small }) {
        const int steps = work.seconds > 1e-3 ? 60 : 600;
        for (const int cores : { 2, 4, 8 }) {
            for (const int busy : { 0, 1, 2, 4, 8 }) {
                Machine machine(cores, busy);
                Threads threads({ cores, true, true });
                const double adapted = run(machine, work, threads, steps);
                double best          = std::numeric_limits<double>::infinity();
                for (int n = 1; n <= cores; n++) best = std::min(best, on_a_fixed_number(cores, busy, work, n, steps));
                const double alone = steps * work.operations * work.seconds;
                const double fair  = alone / std::min(1.0, (double)cores / (busy + 1));
                const std::string where =
                    std::string(work.name) + " work, " + std::to_string(cores) + " cores, " + std::to_string(busy) + " busy programs";
                check(adapted <= (busy == 0 ? 1.05 : 1.2) * best, ("about as fast as the best fixed number of threads: " + where).c_str());
                check(adapted <= 1.2 * fair, ("at least what one thread is given by a fair scheduler: " + where).c_str());
            }
        }
    }
}

// Others come, and go again.
void as_it_changes() {
    for (const Work & work : { large, middle }) {
        const int steps = work.seconds > 1e-3 ? 100 : 1000;
        Machine machine(2, 0);
        Threads threads({ 2, true, true });
        run(machine, work, threads, steps);
        check(threads.now() == 2, "all threads compute on a quiet machine");
        machine.load(8);
        const double busy = run(machine, work, threads, steps);
        check(busy < 1.2 * on_a_fixed_number(2, 8, work, 1, steps), "a machine that becomes busy is noticed");
        machine.load(0);
        run(machine, work, threads, steps);
        check(run(machine, work, threads, steps) < 1.05 * on_a_fixed_number(2, 0, work, 2, steps),
              "a machine that becomes quiet is noticed");
    }
}

// Times that say nothing, or the wrong thing.
void hostile_times() {
    for (uint32_t seed = 1; seed <= 50; seed++) {
        uint32_t random  = seed;
        const auto below = [&](uint32_t n) { return (random = random * 1664525u + 1013904223u) / 65536 % n; };
        const auto most  = (int32_t)(1 + below(9));
        Threads threads({ most, below(4) > 0, below(2) > 0 });
        bool within = true, all = true, left = true;
        for (int i = 0; i < 2000; i++) {
            const bool every       = below(5) == 0;
            const int32_t n        = threads.begin((int32_t)(1 + below(3)), every);
            within                 = within && n >= 1 && n <= most;
            all                    = all && (!every || n == most);
            left                   = left && threads.left_one() == (n == 1 && most > 1);
            const double seconds[] = { 0.0, 1e-9, 1e-3, 0.05, 0.3, 5.0, 1e4 };
            const Spent spent      = { seconds[below(7)], seconds[below(7)] };
            threads.starved(spent) ? threads.broken_off(spent) : threads.done(spent);
        }
        check(within && all, "there is at least one thread, and never more than there are cores");
        check(left,
              "one thread is what others left only where there could be more: beside a GPU one was meant, and rows are sampled on several");
    }
    Threads disk({ 4, true, false });
    disk.begin(1, false);
    check(!disk.starved({ 0.2, 0.0 }), "a step that waits for a disk is not broken off");
    disk.done({ 0.2, 0.0 });
    check(disk.begin(1, false) == 4, "a step that waits for a disk keeps its threads");
}

} // namespace

void threads_follow_the_machine() {
    beside_others();
    as_it_changes();
    hostile_times();
}
