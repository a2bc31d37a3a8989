#pragma once

#include <cstdint>

// Seconds of a step: by the clock, and of these the ones in which the calling thread was on a core.
struct Spent {
    double wall    = 0.0;
    double on_core = 0.0;
};

// What has been spent since it was made or restarted, on the thread that asks.
class Stopwatch {
public:
    Stopwatch() { restart(); }
    void restart();
    double wall() const;
    Spent spent() const;

private:
    double began_wall    = 0.0;
    double began_on_core = 0.0;
};

// How many threads compute the next step where other programs want the cores too. Compute threads wait for each other at every operation,
// spinning: while one of them is not on a core, none gets on. One thread waits for nobody.
//
// Decided from times alone. Where the calling thread is kept off the cores for a quarter of the time, as many threads remain as there are
// cores to themselves, and a step that is starved from its beginning is begun again on them. What that does not show is tried: a block
// of steps on another number, kept if it is faster, as often as the tries cost one part in a hundred of the time.
class Threads {
public:
    struct Params {
        int32_t most;     // the cores there are
        bool adapts;      // false: always all of them
        bool share_tells; // time off the cores is time that others have: not while pages are read from a disk
    };

    explicit Threads(const Params & params)
        : most(params.most), adapts(params.adapts), share_tells(params.share_tells), usual(params.most) {}

    // For a step of so many rows, which begins. `all`: on every thread, whatever the machine does.
    int32_t begin(int32_t rows, bool all);

    int32_t now() const { return threads; }
    bool adapting() const { return watched && threads > 1; }
    // Others want the cores so much that only one is left. Not where one is all that should compute, beside a GPU.
    bool left_one() const { return most > 1 && threads == 1; }

    // Of the step that runs: whether it is worth while to break it off, and begin it again.
    bool starved(const Spent & so_far) const;
    bool may_be_starved(double wall) const;

    // How the step ended: broken off because it was starved, or done.
    void broken_off(const Spent & spent);
    void done(const Spent & spent);

private:
    // Equal steps, long enough to tell.
    struct Block {
        int32_t rows    = 0;
        int32_t threads = 0;
        int32_t steps   = 0;
        Spent spent;

        double mean() const { return spent.wall / steps; }
        bool like(const Block & other) const { return rows == other.rows && threads == other.threads; }
    };

    void look_at(const Block & block);
    int32_t candidate(const Block & block);
    void judge(const Block & block);
    void failed(double loss);
    void settle(int32_t on, double soon);
    int32_t left_by_others(const Spent & spent, int32_t used) const;

    int32_t most;
    bool adapts;
    bool share_tells;

    int32_t usual;
    int32_t trying = 0;     // instead of `usual`, 0 for no trial
    bool against   = false; // the trial is of more threads although others want the cores
    bool upwards   = false; // where the last trial went that could have gone either way

    // Of the step that runs.
    int32_t rows    = 0;
    int32_t threads = 0;
    bool watched    = false;

    Block current;
    Block before;    // the block before the trial
    Block reference; // what the time of a block is like since the last decision

    double clock    = 0.0; // seconds of steps so far
    double trial_at = -1.0;
    double pause    = 0.0; // between trials
};
