#pragma once

#include "error.h"

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

// A thread with a large stack that runs one task after another, and the way back to the JS thread.
// Created, called and destroyed on the JS thread; tasks run on the owner's. A task never touches Napi, what settles its
// promise never touches llama.cpp. The thread is joined before the environment goes, so nothing outlives it.
class Owner {
public:
    // `interrupt` makes a running task end soon; called when the owner is stopped. `busy` tells when the first promise
    // is given out and when the last one is settled: the JS object must not be collected in between. Both on the JS thread.
    Owner(Napi::Env env, const char * name, std::function<void()> interrupt, std::function<void(bool)> busy);
    ~Owner();

    Owner(const Owner &)             = delete;
    Owner & operator=(const Owner &) = delete;

    // Runs `work` and settles the promise with `done(env, result)`, or with the coded error that `work` threw.
    // `finally` runs on the JS thread before either.
    template <typename R>
    Napi::Promise run(std::function<R()> work, std::function<Napi::Value(Napi::Env, R &)> done, std::function<void()> finally = nullptr);

    // From the owner's thread: runs `call` on the JS thread soon. Dropped if the environment is going away.
    void post(std::function<void(Napi::Env)> call);

    // Runs `last` after what waits, and resolves once the thread and its stack are gone. Later calls of run() are refused.
    Napi::Promise close(std::function<void()> last);

    // Interrupts, discards what waits, joins. Promises that have not been settled stay so. Idempotent.
    void stop();

    // The part of it that touches nothing of Node's: for the end of the process, when there may be nothing left of Node.
    void halt();

    // Halts every owner that was made in this environment. On its JS thread.
    static void halt_all(Napi::Env env);

private:
    using Task = std::function<void()>;

    void push(Task task);
    void loop();
    void started(Napi::Env env);
    void settled(Napi::Env env);
    static void * thread_main(void * self);
    static void halt_where(const std::function<bool(Owner *)> & wanted);
    static void register_at_process_exit();

    Napi::ThreadSafeFunction js;
    std::function<void()> interrupt;
    std::function<void(bool)> busy;
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Task> tasks;
    bool stopping = false; // under `mutex`
    std::atomic<bool> halted{ false };
    bool closing                = false;                        // JS thread only
    bool stopped                = false;                        // JS thread only
    int pending                 = 0;                            // promises not settled; JS thread only
    std::shared_ptr<bool> alive = std::make_shared<bool>(true); // false once destroyed; JS thread only
    Napi::Env env;
#ifdef _WIN32
    void * thread = nullptr;
#else
    pthread_t thread{};
#endif
};

Napi::Error to_js(Napi::Env env, const char * code, const std::string & message);

template <typename R>
Napi::Promise Owner::run(std::function<R()> work, std::function<Napi::Value(Napi::Env, R &)> done, std::function<void()> finally) {
    auto deferred = std::make_shared<Napi::Promise::Deferred>(Napi::Promise::Deferred::New(env));
    if (closing || stopped) {
        deferred->Reject(to_js(env, "ERR_CLOSED", "The model or engine is closed").Value());
        return deferred->Promise();
    }
    started(env);
    push([this, work = std::move(work), done = std::move(done), finally = std::move(finally), deferred]() mutable {
        auto result   = std::make_shared<R>();
        Thrown thrown = run_guarded([&] { *result = work(); });
        work          = nullptr; // what it held is let go on this thread
        post([this, alive = alive, result, thrown, done = std::move(done), finally = std::move(finally), deferred](Napi::Env env) {
            if (!*alive) return; // the JS object is gone, and so is everybody who could wait
            if (finally) finally();
            try {
                if (thrown.code)
                    deferred->Reject(to_js(env, thrown.code, thrown.message).Value());
                else
                    deferred->Resolve(done(env, *result));
            } catch (const Napi::Error &) {
                // The environment is being torn down: every call fails, and there is nobody left to tell.
            }
            settled(env); // last: it may let the JS object be collected
        });
    });
    return deferred->Promise();
}
