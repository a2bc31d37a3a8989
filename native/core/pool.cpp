#include "pool.h"

#include <algorithm>
#include <system_error>

Pool::Pool(size_t n_threads) {
    try {
        while (helpers.size() + 1 < n_threads) helpers.emplace_back(&Pool::help, this, helpers.size() + 1);
    } catch (const std::system_error &) {} // correct with fewer, only slower
}

Pool::~Pool() {
    {
        const std::lock_guard<std::mutex> lock(mutex);
        closing = true;
    }
    called.notify_all();
    for (std::thread & helper : helpers) helper.join();
}

void Pool::for_each(size_t count_, const std::function<void(size_t, size_t)> & work_) {
    if (count_ == 0) return;
    const size_t invited = std::min(helpers.size(), count_ - 1);
    {
        const std::lock_guard<std::mutex> lock(mutex);
        work   = &work_;
        count  = count_;
        next   = 0;
        wanted = invited;
    }
    for (size_t i = 0; i < invited; i++) called.notify_one();
    take_items(0);
    std::unique_lock<std::mutex> lock(mutex);
    wanted = 0;
    finished.wait(lock, [&] { return working == 0; });
}

void Pool::help(size_t thread) {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
        called.wait(lock, [&] { return closing || wanted > 0; });
        if (closing) return;
        wanted--;
        working++;
        lock.unlock();
        take_items(thread);
        lock.lock();
        if (--working == 0) finished.notify_one();
    }
}

// `work` and `count` stay as they are while anybody works.
void Pool::take_items(size_t thread) {
    for (size_t item; (item = next++) < count;) (*work)(item, thread);
}
