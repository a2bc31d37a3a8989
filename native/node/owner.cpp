#include "owner.h"

#include "process.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <set>
#include <vector>

#ifdef _WIN32
#    include <windows.h>
#else
#    include <pthread.h>
#endif

// Tokenizers recurse once per character; only what is touched becomes real memory.
static constexpr size_t STACK_SIZE = size_t(512) * 1024 * 1024;

Napi::Error to_js(Napi::Env env, const char * code, const std::string & message) {
    Napi::Error error = Napi::Error::New(env, message);
    error.Set("code", Napi::String::New(env, code));
    return error;
}

// process.exit() does not run cleanup hooks on the main thread: it goes to exit(), which destroys llama.cpp's static objects while
// our threads still compute with them. So the threads are joined before, twice over: when JavaScript's `exit` event is emitted
// (addon.cpp), and at the beginning of exit() for a process that ends without one. exit() takes handlers and static objects in
// reverse order, and llama.cpp makes some objects at the first load or decode: the handler is registered again after these.
static std::mutex owners_mutex;

static std::set<Owner *> & owners() {
    static auto * all = new std::set<Owner *>; // never destroyed: exit() is what it is for
    return *all;
}

void Owner::halt_where(const std::function<bool(Owner *)> & wanted) {
    std::vector<Owner *> found;
    {
        std::lock_guard<std::mutex> lock(owners_mutex);
        std::copy_if(owners().begin(), owners().end(), std::back_inserter(found), wanted);
    }
    for (Owner * owner : found) owner->interrupt(); // all of them, before the first is waited for
    for (Owner * owner : found) owner->halt();
}

// After some tasks of some owners nothing new is made.
static constexpr int TASKS_OF_AN_OWNER = 4;
static constexpr int REGISTRATIONS     = 256;

void Owner::register_at_process_exit() {
    static std::atomic<int> count{ 0 };
    if (count++ < REGISTRATIONS) std::atexit([] { halt_where([](Owner *) { return true; }); });
}

void Owner::halt_all(Napi::Env env) {
    halt_where([env](Owner * owner) { return napi_env(owner->env) == napi_env(env); });
}

static void at_environment_exit(void * owner) { static_cast<Owner *>(owner)->stop(); }

Owner::Owner(Napi::Env env, const char * name, std::function<void()> interrupt, std::function<void(bool)> busy)
    : interrupt(std::move(interrupt)), busy(std::move(busy)), env(env) {
    register_at_process_exit();

    // No JS function of its own: every post brings its own callback.
    js = Napi::ThreadSafeFunction::New(env, Napi::Function(), name, 0, 1);
    js.Unref(env); // an idle owner does not keep the process alive
    // Hooks run in reverse order, so the thread is joined before the environment finalizes `js`.
    napi_add_env_cleanup_hook(env, at_environment_exit, this);

#ifdef _WIN32
    thread = CreateThread(
        nullptr, STACK_SIZE,
        [](void * self) -> DWORD {
            thread_main(self);
            return 0;
        },
        this, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
    const bool failed = thread == nullptr;
#else
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    const bool failed = pthread_create(&thread, &attr, thread_main, this) != 0;
    pthread_attr_destroy(&attr);
#endif
    if (failed) {
        stopped = true;
        halted  = true;
        napi_remove_env_cleanup_hook(env, at_environment_exit, this);
        js.Abort();
        throw to_js(env, "ERR_MEMORY", "Could not start a thread with a stack of 512 MB of address space");
    }
    std::lock_guard<std::mutex> lock(owners_mutex);
    owners().insert(this);
}

Owner::~Owner() {
    stop();
    *alive = false;
}

void Owner::stop() {
    if (stopped) return;
    stopped = true;
    halt();
    napi_remove_env_cleanup_hook(env, at_environment_exit, this);
    js.Release();
}

void Owner::halt() {
    if (halted.exchange(true)) return;
    {
        std::lock_guard<std::mutex> lock(owners_mutex);
        owners().erase(this);
    }
    {
        std::lock_guard<std::mutex> lock(mutex);
        stopping = true;
        tasks.clear();
    }
    interrupt();
    wake.notify_one();
#ifdef _WIN32
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
#else
    pthread_join(thread, nullptr);
#endif
}

Napi::Promise Owner::close(std::function<void()> last) {
    const auto work = [last = std::move(last)] {
        last();
        return true;
    };
    Napi::Promise promise = run<bool>(
        work, [](Napi::Env closed_env, bool &) { return closed_env.Undefined(); }, [this] { stop(); });
    closing = true;
    return promise;
}

void Owner::post(std::function<void(Napi::Env)> call) {
    auto * carried           = new std::function<void(Napi::Env)>(std::move(call));
    const napi_status status = js.NonBlockingCall(carried, [](Napi::Env env, Napi::Function, std::function<void(Napi::Env)> * given) {
        std::unique_ptr<std::function<void(Napi::Env)>> owned(given);
        if (static_cast<napi_env>(env) == nullptr) return; // called for the last time while the environment closes
        Napi::HandleScope scope(env);
        (*owned)(env);
    });
    if (status != napi_ok) delete carried;
}

void Owner::push(Task task) {
    {
        std::lock_guard<std::mutex> lock(mutex);
        if (stopping) return;
        tasks.push_back(std::move(task));
    }
    wake.notify_one();
}

void * Owner::thread_main(void * self) {
    const SignalStack for_handlers;
    static_cast<Owner *>(self)->loop();
    return nullptr;
}

void Owner::loop() {
    for (int done = 0;; done++) {
        if (done > 0 && done <= TASKS_OF_AN_OWNER) register_at_process_exit();
        Task task;
        {
            std::unique_lock<std::mutex> lock(mutex);
            wake.wait(lock, [this] { return stopping || !tasks.empty(); });
            if (stopping) return;
            task = std::move(tasks.front());
            tasks.pop_front();
        }
        task();
    }
}

void Owner::started(Napi::Env env) {
    if (pending++ > 0) return;
    js.Ref(env);
    busy(true);
}

void Owner::settled(Napi::Env env) {
    if (--pending > 0) return;
    if (!stopped) js.Unref(env);
    busy(false);
}
