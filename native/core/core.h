#pragma once

#include "cache.h"
#include "error.h"
#include "matmul.h"
#include "pool.h"
#include "sampler.h"
#include "stops.h"
#include "stream.h"
#include "threadpool.h"
#include "threads.h"
#include "vocabulary.h"

#include <llama-cpp.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// Weights and vocabulary: shared by the model object and every engine made from it, freed with the last of them.
struct Weights {
    explicit Weights(llama_model_ptr model_) : model(std::move(model_)), vocabulary(model.get()) {}

    llama_model_ptr model;
    Vocabulary vocabulary;
};

using SharedWeights = std::shared_ptr<Weights>;

struct LoraParams {
    std::string path;
    float scale;
};

struct CoreParams {
    uint32_t n_ctx;       // cells of the unified KV cache, shared by all sequences
    uint32_t n_batch;     // rows of one step: the grain at which a prompt is evaluated
    uint32_t n_seq_max;   // sequences alive at once, held ones included
    int32_t n_threads;    // that compute
    int32_t n_samplers;   // that turn rows of logits into tokens, between two steps
    bool adapt_threads;   // fewer where other programs want the cores
    std::string streamed; // a file of mapped weights that is larger than memory; empty: there is none
    uint64_t stay;        // bytes of it that are kept there
    bool resident;        // all weights are in memory: none are read from a disk as they are used
    uint32_t poll;        // 0 … 100: how eagerly idle compute threads wait for work
    bool own_kernels;     // multiply with weights in the processor's memory by our own kernels, where there are some for it
    ggml_type type_k;
    ggml_type type_v;
    llama_flash_attn_type flash_attn;
    std::vector<LoraParams> loras;
};

// What one sequence does once its prompt has been evaluated: score given tokens, sample, one after the other, or (neither) just be there.
struct Branch {
    SamplerParams sampler;
    int32_t max_tokens = 0;
    std::vector<llama_token> forced;              // report the log-probability of each, then sample
    bool logprobs = false;                        // report the log-probability of every sampled token
    int32_t n_top = 0;                            // with every token so many that were the most probable in its place
    bool hold     = false;                        // keep the sequence for later jobs to start from
    std::optional<std::vector<llama_token>> ends; // end a sample instead of the model's own end tokens

    // What may end a sample besides, if whoever reads it says so: run() returns with the step that sampled it.
    std::vector<std::string> stops;
    std::vector<llama_token> stop_tokens;
};

// What Core::save gave. Whoever adds it keeps it as it is until its sequence is READY, has failed or was released.
struct State {
    const uint8_t * data;
    size_t size;
};

struct Job {
    int32_t from      = -1;          // a held sequence whose evaluated tokens come before the prompt, or -1
    int32_t from_size = -1;          // how many of its tokens to start from, or -1 for all
    std::vector<llama_token> prompt; // at least one token
    std::vector<Branch> branches;    // at least one
    int32_t cells = 0;               // of the KV cache that the caller has set aside: at least cells_for(job)

    // Of a sequence of exactly these prompt tokens, in a context of the same model and settings: restored instead of evaluated. For
    // one branch that is just there, and `from` nothing. llama.cpp does not survive bytes that somebody has changed: only what is
    // known to be as it was saved may come here.
    std::optional<State> state;
};

enum Finish : int32_t {
    GOING  = 0,
    END    = 1, // an end token, or the last forced token where nothing is sampled
    LENGTH = 2, // max_tokens reached
    READY  = 3, // a branch that neither samples nor scores: its prompt has been evaluated
};

// A sequence that could not go on, and why. It has been released.
struct Failure {
    int32_t seq;
    const char * code;
    std::string message;
};

// What one step produced, or several one after the other: one entry per token, packed so that it crosses to JS in a few arrays.
struct Step {
    std::vector<int32_t> seq;
    std::vector<int32_t> token; // -1 for READY
    std::vector<float> logprob; // NaN where it was not asked for
    std::vector<int32_t> finish;
    std::vector<uint32_t> ends;     // end offset of each token's bytes in `text`
    std::string text;               // raw bytes: a token may be half a UTF-8 character
    std::vector<uint32_t> top_ends; // end offset of each token's most probable ones in the two lists below
    std::vector<int32_t> top_token; // the most probable first
    std::vector<float> top_logprob;
    std::vector<int32_t> prompt_seq;  // sequences whose prompt advanced …
    std::vector<int32_t> prompt_left; // … and how many of its tokens are still to be evaluated
    std::vector<Failure> failures;
    bool aborted = false; // nothing was evaluated; the same step can be tried again
    bool look    = false; // a sample may end here: its reader says so

    int32_t threads = 0; // that computed it, 0 for none; added up over several steps

    // Where the time went.
    int32_t steps = 1;
    std::chrono::nanoseconds decode{ 0 };   // llama.cpp, until the logits are there
    std::chrono::nanoseconds sampling{ 0 }; // from logits to tokens, texts and log-probabilities
    std::chrono::nanoseconds all{ 0 };      // both, and everything beside them

    // Adds the step after this one.
    void append(const Step & next);

    // Takes back what was added after the first `n_tokens` entries and `n_text` bytes.
    void cut(size_t n_tokens, size_t n_text);
};

// The decode loop without Node: one llama_context and the sequences that live in it.
// Not thread-safe: JS calls it between steps, the owner thread calls step(). Only `abort`, `leaving` and `called` may be set at any time.
class Core {
public:
    Core(SharedWeights weights, const CoreParams & params);
    ~Core();

    Core(const Core &)             = delete;
    Core & operator=(const Core &) = delete;

    // Starts one sequence per branch, all from the same prompt, which is evaluated once. Returns their ids in order.
    // The caller has set the cells aside: a step that runs out of them fails with ERR_CONTEXT_FULL.
    std::vector<int32_t> add(const Job & job);

    // Most cells that the job can take: its prompt, what is left to evaluate of the held sequence it starts from (the token
    // sampled last, when it starts from all of it), and per branch all but the last token, which is never evaluated.
    int32_t cells_for(const Job & job) const;

    // Forgets a sequence, running or held. Unknown ids are ignored: it may have finished meanwhile.
    void release(int32_t id);

    // Stops a running sequence but keeps what has been evaluated, for later jobs to start from.
    void hold(int32_t id);

    // What is in the cache for a held sequence, for a Job's `state`. On the owner thread, between two steps.
    std::vector<uint8_t> save(int32_t id);

    // One llama_decode for everything that is live, then one token for every sequence that has logits. Saved states are restored in a
    // step of their own. On failure nothing has moved. True idleness gives an empty step.
    Step step();

    // As step(), and further steps for as long as they are all the same to whoever reads them: every sequence samples or scores on, none
    // has ended, failed or might have to, nobody has called, and no more than `budget` has passed since the first began.
    // A step that fails behind one that did not is left to the next call.
    Step run(std::chrono::nanoseconds budget);

    uint32_t n_ctx() const { return llama_n_ctx(ctx.get()); }
    uint32_t n_batch() const { return n_batch_max; }
    uint32_t n_seq_max() const { return (uint32_t)cache.n_sequences(); }
    // What multiplies with weights in the processor's memory: the name of our instructions, or "llama.cpp".
    const char * kernels() const { return matmul ? matmul->name() : "llama.cpp"; }
    size_t n_live() const { return live.size(); }

    std::atomic<bool> abort{ false };   // ends the step that runs; it can be tried again
    std::atomic<bool> leaving{ false }; // ends sampling too: nothing more will be asked
    std::atomic<bool> called{ false };  // has run() return after the step that runs

private:
    struct Sequence {
        int32_t id = -1;
        std::vector<llama_token> todo; // not yet evaluated: the prompt, later the last sampled or the forced tokens
        int32_t n_past    = 0;         // evaluated, and thus in the KV cache
        int32_t n_left    = 0;         // may still be generated
        int32_t n_rows    = 0;         // taken by the current batch …
        int32_t first_row = -1;        // … from this row on
        bool prompting    = true;      // `todo` is prompt, not generation
        bool waiting      = false;     // becomes a copy of its lead once the prompt is done
        bool at_start     = false;     // the next piece begins a run of text
        size_t n_scored   = 0;         // forced tokens reported
        std::vector<int32_t> forks;    // the sequences that wait for this one's prompt
        Branch branch;
        std::unique_ptr<Sampler> sampler;
        StopWatch stops;
        std::optional<State> state; // to be restored instead of evaluating `todo`
    };

    // A row of logits, and what came of it.
    struct Row {
        Sequence * seq;
        const float * logits                           = nullptr;
        llama_token token                              = -1; // given, where it is to be scored
        float logprob                                  = std::numeric_limits<float>::quiet_NaN();
        Thrown thrown                                  = {};
        std::vector<std::pair<llama_token, float>> top = {};
    };

    struct Scratch {
        Logits logits;
        SamplerScratch sampler;
    };

    void decode_and_sample(Step & out);
    bool may_go_on(const Step & last) const;
    bool restore_states(Step & out);
    void settle(const Step & out);
    void fill_batch();
    int32_t decode();
    bool all_threads() const;
    bool breaks_off();
    static int32_t scored_now(const Sequence & seq, int32_t most);
    void add_rows(Sequence & seq, int32_t n, bool all_logits);
    void forget_partial();
    void finish_prompt(Sequence & lead);
    std::vector<Row> read_rows();
    static void read_row(Row & row, size_t n_vocab, Scratch & scratch);
    void advance(const Row * first, const Row * last, Step & out);
    void emit(Step & out, const Row & row, Finish finish, bool text);
    const std::vector<llama_token> & ends_of(const Branch & branch) const;
    void make_samplers(Step & out);
    static bool samples(const Branch & branch);
    static Sequence * find(std::vector<Sequence> & in, int32_t id);
    const Sequence & held_for(const Job & job) const;
    static int32_t tokens_from(const Job & job, const Sequence & from);
    void hand_on_prompt(Sequence & seq);

    SharedWeights weights;
    std::vector<llama_adapter_lora_ptr> adapters; // declared before ctx: the context is freed first
    std::unique_ptr<Matmul> matmul;               // likewise: its graphs refer to it
    llama_context_ptr ctx;
    Cache cache;
    const llama_vocab * vocab;
    llama_batch batch;
    int32_t n_batch_max;
    int32_t n_outputs_max;
    int32_t n_outputs = 0;
    Threads threads;
    std::unique_ptr<Threadpool> threadpool;
    std::unique_ptr<Stream> stream; // of weights that are larger than memory
    Stopwatch since_step;           // was begun
    bool starved       = false;
    bool splits_single = false; // attention over the cache of a single row is split between the threads
    std::vector<Sequence> live; // in the order they came
    std::vector<Sequence> held;
    std::vector<int32_t> free_ids;
    Pool pool;
    std::vector<Scratch> scratch; // one a thread of the pool
};
