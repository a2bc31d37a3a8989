#include "threads.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#ifdef _WIN32
#    include <windows.h>
#else
#    include <ctime>
#endif

#ifdef _WIN32
// In steps of a clock tick, 16 ms.
static double on_core_now() {
    FILETIME created, ended, kernel, user;
    if (!GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user)) return 0.0;
    const auto ticks = [](const FILETIME & time) { return (double)(((uint64_t)time.dwHighDateTime << 32) | time.dwLowDateTime); };
    return (ticks(kernel) + ticks(user)) * 1e-7;
}
// Seconds that tell something about a share, in which a scheduler has given its slices to all.
static constexpr double ENOUGH = 0.2;
#else
static double on_core_now() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
static constexpr double ENOUGH = 0.04;
#endif

static double wall_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void Stopwatch::restart() {
    began_wall    = wall_now();
    began_on_core = on_core_now();
}

double Stopwatch::wall() const { return wall_now() - began_wall; }

Spent Stopwatch::spent() const { return { wall(), on_core_now() - began_on_core }; }

static constexpr double STARVED       = 0.75; // of the time on a core: others take a part that counts
static constexpr double HOPELESS      = 0.6;  // the same, for a step that is broken off
static constexpr double ALONE         = 0.93; // nobody waits for this core
static constexpr double FASTER        = 0.92; // time to that before: worth a change
static constexpr double CHANGED       = 1.3;  // the machine is not what it was
static constexpr double COST          = 0.01; // of all time, for trials that lead nowhere
static constexpr double LONGEST_STEP  = 3.0;  // seconds; what takes longer waits for a disk, and a trial of it costs too much
static constexpr double LONGEST_PAUSE = 10.0;
static constexpr double LAST_CALL     = 0.25; // seconds after which a step has come too far to be begun again

int32_t Threads::begin(int32_t rows_, bool all) {
    rows    = rows_;
    watched = adapts && !all && most > 1;
    if (trying > 0 && watched && rows != before.rows) { // nothing to compare with any more
        trying   = 0;
        trial_at = clock + pause;
    }
    threads = !watched ? most : trying > 0 ? trying : usual;
    return threads;
}

// A trial ends early that takes twice as long as what it is compared with; another step while it has not come far.
bool Threads::may_be_starved(double wall) const {
    if (!adapting()) return false;
    if (trying > 0) return wall > 2.0 * before.mean() + 0.01;
    return share_tells && wall > ENOUGH && wall < LAST_CALL;
}

bool Threads::starved(const Spent & so_far) const {
    return may_be_starved(so_far.wall) && (trying > 0 || so_far.on_core < HOPELESS * so_far.wall);
}

void Threads::broken_off(const Spent & spent) {
    clock += spent.wall;
    current = {};
    if (trying > 0)
        failed(spent.wall);
    else
        settle(left_by_others(spent, threads), 2.0 * ENOUGH);
}

void Threads::done(const Spent & spent) {
    clock += spent.wall;
    if (!watched) return;
    if (current.rows != rows || current.threads != threads) current = { rows, threads, 0, {} };
    current.steps++;
    current.spent.wall += spent.wall;
    current.spent.on_core += spent.on_core;
    if (current.spent.wall < ENOUGH) return;
    const Block block = std::exchange(current, {});
    trying > 0 ? judge(block) : look_at(block);
}

void Threads::look_at(const Block & block) {
    if (usual > 1 && share_tells && block.spent.on_core < STARVED * block.spent.wall)
        return settle(left_by_others(block.spent, usual), 2.0 * block.spent.wall);
    if (trial_at < 0.0) {
        pause    = 25.0 * block.spent.wall / (usual > 1 ? usual - 1 : 1); // one of many fewer costs little
        trial_at = clock + pause;
    }
    const int32_t other = candidate(block);
    if (!reference.like(block)) reference = block;
    if (other == usual) return;
    against = other > usual && share_tells && block.spent.on_core < ALONE * block.spent.wall;
    before  = block;
    trying  = other;
}

// What to try after a block, or `usual`.
int32_t Threads::candidate(const Block & block) {
    if (block.mean() > LONGEST_STEP) return usual;
    const bool wanted = share_tells && block.spent.on_core < ALONE * block.spent.wall; // by others
    const bool known  = reference.like(block);
    if (known && usual > 1 && block.mean() > CHANGED * reference.mean()) return usual - 1;
    if (known && usual < most && !wanted && block.mean() * CHANGED < reference.mean()) return usual + 1;
    if (clock < trial_at) return usual;
    if (wanted && usual > 1) return left_by_others(block.spent, usual);
    if (wanted && clock < trial_at + 3.0 * pause) return usual;
    upwards = usual == 1 || (usual < most && !upwards);
    return usual + (upwards ? 1 : -1);
}

void Threads::judge(const Block & block) {
    if (block.mean() >= FASTER * before.mean()) return failed(block.spent.wall - block.steps * before.mean());
    if (against) share_tells = false; // what keeps this thread off its core is something else
    settle(trying, block.spent.wall);
    reference = block;
}

void Threads::failed(double loss) {
    trying    = 0;
    pause     = std::max(std::min(2.0 * pause, LONGEST_PAUSE), loss / COST);
    trial_at  = clock + pause;
    reference = before;
}

void Threads::settle(int32_t on, double soon) {
    usual     = on;
    trying    = 0;
    pause     = soon;
    trial_at  = clock + pause;
    reference = {};
}

// A fair scheduler gives each of `used` threads and those of others the same share of the cores, on the whole; how it spreads a few of them
// may hit this one hard, so that no more than half are given up at once.
int32_t Threads::left_by_others(const Spent & spent, int32_t used) const {
    const double share  = std::max(spent.on_core / spent.wall, 0.01);
    const double others = most / share - used;
    return std::clamp((int32_t)std::floor(most - others + 0.3), used / 2, used - 1);
}
