#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

// Threads for work of microseconds between two decodes. They are parked and never spin, and nobody waits for one that has not begun: on
// a busy machine the caller has done all of it by then. llama.cpp's compute threads all have to come before one may go on.
// One thread at a time calls.
class Pool {
public:
    // At most `n_threads`, the caller's being one of them; fewer where the system has no more to give.
    explicit Pool(size_t n_threads);
    ~Pool();

    Pool(const Pool &)             = delete;
    Pool & operator=(const Pool &) = delete;

    size_t size() const { return helpers.size() + 1; }

    // Calls work(item, thread) once for every item below `count`, and returns when all are done; thread < size().
    // `work` must not throw.
    void for_each(size_t count, const std::function<void(size_t, size_t)> & work);

private:
    void help(size_t thread);
    void take_items(size_t thread);

    std::mutex mutex; // of all below but `next`
    std::condition_variable called, finished;
    const std::function<void(size_t, size_t)> * work = nullptr;
    size_t count                                     = 0;
    size_t wanted                                    = 0; // helpers that may still join in
    size_t working                                   = 0; // helpers that have
    bool closing                                     = false;
    std::atomic<size_t> next{ 0 };
    std::vector<std::thread> helpers;
};
