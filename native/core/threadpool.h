#pragma once

#include <llama.h>

#include <memory>
#include <vector>

// llama.cpp's compute threads, for one context: exactly as many as compute, because those beyond would spin between steps. Without a pool
// of its own the context creates and joins its threads at every decode. Freed before the context.
class Threadpool {
public:
    // `poll`: 0 … 100, how eagerly threads wait between steps.
    Threadpool(llama_context * ctx, uint32_t poll);
    ~Threadpool();

    Threadpool(const Threadpool &)             = delete;
    Threadpool & operator=(const Threadpool &) = delete;

    // Has the next decode computed by so many threads, the caller's among them. Between two decodes.
    void use(int32_t n_threads);

    // A decode has succeeded: what computed the one before it is forgotten.
    void computed();

private:
    std::shared_ptr<void> start(int32_t n_threads) const;

    llama_context * ctx;
    uint32_t poll;
    int32_t used = 0;
    std::shared_ptr<void> one; // the caller's thread alone
    std::shared_ptr<void> many;
    int32_t n_many = 0;
    std::vector<std::shared_ptr<void>> replaced; // llama.cpp pauses the threads of the last decode when it computes the next on others
};
