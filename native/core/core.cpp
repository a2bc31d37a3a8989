#include "core.h"

#include "error.h"
#include "log.h"

#include <ggml-backend.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

// Below so many logits the threads are not worth waking: one thread reads them in a tenth of a millisecond.
static constexpr size_t FEW_LOGITS = 100'000;

// Tokens of one sequence that a step scores at most: a text that is alone is evaluated in the same steps whatever the limits of its engine,
// and never by the kernel that llama.cpp's flash attention has for 64 rows and more, which rounds otherwise.
static constexpr int32_t MOST_SCORED = 32;

void Step::cut(size_t n_tokens, size_t n_text) {
    seq.resize(n_tokens);
    token.resize(n_tokens);
    logprob.resize(n_tokens);
    finish.resize(n_tokens);
    ends.resize(n_tokens);
    text.resize(n_text);
    top_ends.resize(n_tokens);
    top_token.resize(n_tokens == 0 ? 0 : top_ends.back());
    top_logprob.resize(top_token.size());
}

template <typename T> static void append(std::vector<T> & to, const std::vector<T> & from) {
    to.insert(to.end(), from.begin(), from.end());
}

void Step::append(const Step & next) {
    const uint32_t before = (uint32_t)text.size();
    ::append(seq, next.seq);
    ::append(token, next.token);
    ::append(logprob, next.logprob);
    ::append(finish, next.finish);
    for (const uint32_t end : next.ends) ends.push_back(before + end);
    text += next.text;
    const uint32_t before_top = (uint32_t)top_token.size();
    for (const uint32_t end : next.top_ends) top_ends.push_back(before_top + end);
    ::append(top_token, next.top_token);
    ::append(top_logprob, next.top_logprob);
    ::append(prompt_seq, next.prompt_seq);
    ::append(prompt_left, next.prompt_left);
    ::append(failures, next.failures);
    aborted = next.aborted;
    look    = next.look;
    threads += next.threads;
    steps += next.steps;
    decode += next.decode;
    sampling += next.sampling;
    all += next.all;
}

// Whether the processor multiplies rows in pairs (i8mm of arm64), which rounds otherwise than one row after the other.
static bool multiplies_pairs() {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (!cpu) return false;
    ggml_backend_reg_t reg   = ggml_backend_dev_backend_reg(cpu);
    const auto features_of   = (ggml_backend_get_features_t)ggml_backend_reg_get_proc_address(reg, "ggml_backend_get_features");
    const auto * has_feature = features_of ? features_of(reg) : nullptr;
    for (; has_feature && has_feature->name; has_feature++)
        if (std::strcmp(has_feature->name, "MATMUL_INT8") == 0) return true;
    return false;
}

// Rows of the smallest matrix that weights are likely to have: that of the keys. 0 where there is none.
static int32_t fewest_rows(const llama_model * model) {
    const int32_t n_head = llama_model_n_head(model);
    int32_t head         = n_head > 0 ? llama_model_n_embd(model) / n_head : 0;
    char name[128], length[32];
    if (llama_model_meta_val_str(model, "general.architecture", name, sizeof(name)) > 0 &&
        llama_model_meta_val_str(model, (std::string(name) + ".attention.key_length").c_str(), length, sizeof(length)) > 0)
        head = std::min(head, std::atoi(length));
    return head * llama_model_n_head_kv(model);
}

// llama.cpp cuts a matrix into chunks of 16 rows, but into one for each thread where that were fewer than four for each; and it multiplies
// in pairs where a chunk has an even number of rows.
static bool chunks_follow_threads(const llama_model * model, const CoreParams & params) {
    return multiplies_pairs() && (!params.loras.empty() || fewest_rows(model) < 64 * params.n_threads);
}

Core::Core(SharedWeights weights_, const CoreParams & params)
    : weights(std::move(weights_)), vocab(llama_model_get_vocab(weights->model.get())),
      threads({ params.n_threads, params.adapt_threads && !chunks_follow_threads(weights->model.get(), params), params.resident }),
      pool(std::min((size_t)params.n_samplers, (size_t)params.n_seq_max)), scratch(pool.size()) {
    llama_model * model          = weights->model.get();
    llama_context_params cparams = llama_context_default_params();
    cparams.n_ctx                = params.n_ctx;
    cparams.n_seq_max            = Cache::n_seq_max(model, params.n_ctx, params.n_seq_max);
    cparams.n_batch              = std::max(params.n_batch, cparams.n_seq_max); // llama.cpp takes a row of each for granted
    cparams.n_ubatch             = cparams.n_batch;                             // one step is one micro-batch
    cparams.n_outputs_max        = std::min<uint32_t>(cparams.n_batch, std::max<uint32_t>(cparams.n_seq_max, 32));
    cparams.n_threads            = params.n_threads;
    cparams.n_threads_batch      = params.n_threads;
    cparams.type_k               = params.type_k;
    cparams.type_v               = params.type_v;
    cparams.flash_attn_type      = params.flash_attn;
    cparams.kv_unified           = true; // samples of one question share its prompt cells instead of copying them
    cparams.swa_full             = true; // cells for every token in layers with a sliding window too
    cparams.no_perf              = true;
    cparams.abort_callback       = [](void * core) { return static_cast<Core *>(core)->breaks_off(); };
    cparams.abort_callback_data  = this;
    if (params.own_kernels) matmul = Matmul::of_this_processor(params.n_threads);
    if (matmul) {
        cparams.cb_eval           = &Matmul::ask;
        cparams.cb_eval_user_data = matmul.get();
    }

    LogCapture log;
    ctx.reset(llama_init_from_model(model, cparams));
    if (!ctx) {
        throw CodedError("ERR_MEMORY", "llama.cpp could not create a context of " + std::to_string(params.n_ctx) + " cells" +
                                           (log.errors().empty() ? "" : ": " + log.errors()));
    }
    cache         = Cache(ctx.get());
    n_batch_max   = (int32_t)std::min(params.n_batch, llama_n_batch(ctx.get())); // may be lower than asked for
    n_outputs_max = (int32_t)std::min<uint32_t>(cparams.n_outputs_max, n_batch_max);

    std::vector<llama_adapter_lora *> raw;
    std::vector<float> scales;
    for (const LoraParams & lora : params.loras) {
        LogCapture lora_log;
        adapters.emplace_back(llama_adapter_lora_init(model, lora.path.c_str()));
        if (!adapters.back()) {
            throw CodedError("ERR_LORA", "Expected a LoRA adapter for this model, llama.cpp refused " + lora.path +
                                             (lora_log.errors().empty() ? "" : ": " + lora_log.errors()));
        }
        raw.push_back(adapters.back().get());
        scales.push_back(lora.scale);
    }
    if (!raw.empty() && llama_set_adapters_lora(ctx.get(), raw.data(), raw.size(), scales.data()) != 0) {
        throw CodedError("ERR_LORA", "llama.cpp could not apply the LoRA adapters");
    }

    if (!params.streamed.empty()) stream = std::make_unique<Stream>(params.streamed, params.stay);
    threadpool = std::make_unique<Threadpool>(ctx.get(), params.poll);
    threadpool->use(params.n_threads);
    splits_single = params.flash_attn != LLAMA_FLASH_ATTN_TYPE_DISABLED && !ggml_is_quantized(params.type_k);
    batch         = llama_batch_init(n_batch_max, 0, 1);
    for (int32_t id = cache.n_sequences() - 1; id >= 0; id--) free_ids.push_back(id);
}

Core::~Core() { llama_batch_free(batch); }

std::vector<int32_t> Core::add(const Job & job) {
    if (job.branches.size() > free_ids.size()) {
        throw CodedError("ERR_BUSY", "Expected " + std::to_string(job.branches.size()) + " free sequences, there are " +
                                         std::to_string(free_ids.size()));
    }
    const int32_t cells = cells_for(job);
    if (cells > job.cells) {
        throw CodedError("ERR_NATIVE", "Expected " + std::to_string(cells) + " cells to be set aside for the job, got " +
                                           std::to_string(job.cells) + ": a fault of the engine, please report it");
    }
    if (job.state && (job.from >= 0 || job.branches.size() != 1 || samples(job.branches[0]) || !job.branches[0].forced.empty())) {
        throw CodedError("ERR_OPTION", "Expected a saved state to be restored for one branch that is just there");
    }
    std::vector<llama_token> prompt;
    int32_t n_past = 0;
    if (job.from >= 0) { // a token that has been sampled and not evaluated comes before the prompt
        const Sequence & from = held_for(job);
        const int32_t n_from  = tokens_from(job, from);
        n_past                = std::min(n_from, from.n_past);
        prompt.assign(from.todo.begin(), from.todo.begin() + (n_from - n_past));
    }
    prompt.insert(prompt.end(), job.prompt.begin(), job.prompt.end());

    std::vector<Sequence> fresh;
    for (const Branch & branch : job.branches) {
        Sequence seq;
        seq.branch   = branch;
        seq.n_left   = branch.max_tokens;
        seq.stops    = StopWatch(branch.stops);
        seq.waiting  = !fresh.empty();
        seq.at_start = weights->vocabulary.has_space_prefix() &&
                       weights->vocabulary.is_special(branch.forced.empty() ? prompt.back() : branch.forced.back());
        fresh.push_back(std::move(seq));
    }

    std::vector<int32_t> ids;
    for (Sequence & seq : fresh) {
        seq.id = free_ids.back();
        free_ids.pop_back();
        ids.push_back(seq.id);
    }
    Sequence & lead = fresh[0];
    lead.todo       = std::move(prompt);
    lead.n_past     = n_past;
    lead.forks      = { ids.begin() + 1, ids.end() };
    lead.state      = job.state;
    cache.copy(job.from, lead.id, n_past);

    for (Sequence & seq : fresh) live.push_back(std::move(seq));
    return ids;
}

// Tokens of the held sequence that the job starts from.
int32_t Core::tokens_from(const Job & job, const Sequence & from) {
    const int32_t all = from.n_past + (int32_t)from.todo.size();
    return job.from_size < 0 ? all : std::min(job.from_size, all);
}

int32_t Core::cells_for(const Job & job) const {
    size_t cells = job.prompt.size();
    if (job.from >= 0) {
        const Sequence & from = held_for(job);
        cells += std::max(0, tokens_from(job, from) - from.n_past);
    }
    for (const Branch & branch : job.branches) {
        const size_t tokens = branch.forced.size() + (size_t)std::max(0, branch.max_tokens);
        cells += tokens > 0 ? tokens - 1 : 0;
    }
    return (int32_t)std::min<size_t>(cells, INT32_MAX);
}

const Core::Sequence & Core::held_for(const Job & job) const {
    for (const Sequence & seq : held)
        if (seq.id == job.from) return seq;
    throw CodedError("ERR_OPTION", "The sequence to start from is no longer held");
}

void Core::release(int32_t id) {
    for (std::vector<Sequence> * in : { &live, &held }) {
        Sequence * seq = find(*in, id);
        if (!seq) continue;
        hand_on_prompt(*seq);
        cache.remove(id);
        in->erase(in->begin() + (seq - in->data()));
        free_ids.push_back(id);
        return;
    }
}

void Core::hold(int32_t id) {
    Sequence * seq = find(live, id);
    if (!seq) return;
    hand_on_prompt(*seq);
    seq->sampler.reset();
    held.push_back(std::move(*seq));
    live.erase(live.begin() + (seq - live.data()));
}

// A sequence that goes while it evaluates the prompt for others gives that work to the first of them.
void Core::hand_on_prompt(Sequence & seq) {
    if (!seq.forks.empty()) {
        Sequence & heir = *find(live, seq.forks[0]);
        cache.copy(seq.id, heir.id, seq.n_past);
        heir.todo    = seq.todo;
        heir.n_past  = seq.n_past;
        heir.waiting = false;
        heir.forks   = { seq.forks.begin() + 1, seq.forks.end() };
        seq.forks.clear();
    }
    for (Sequence & other : live) { other.forks.erase(std::remove(other.forks.begin(), other.forks.end(), seq.id), other.forks.end()); }
}

std::vector<uint8_t> Core::save(int32_t id) {
    const Sequence * seq = find(held, id);
    if (!seq) throw CodedError("ERR_CLOSED", "The sequence to save is no longer held");
    LogCapture log;
    std::vector<uint8_t> out = cache.save(id, seq->n_past);
    if (out.empty())
        throw CodedError("ERR_NATIVE", "llama.cpp could not save a sequence" + (log.errors().empty() ? "" : ": " + log.errors()));
    return out;
}

// Whether there was any to restore. A state that llama.cpp refuses is its sequence's failure.
bool Core::restore_states(Step & out) {
    bool any = false;
    for (Sequence & seq : live) {
        if (!seq.state) continue;
        any = true;
        LogCapture log;
        const State state = *seq.state;
        seq.state.reset();
        const int32_t n = (int32_t)seq.todo.size();
        if (!cache.restore(seq.id, state.data, state.size, n)) {
            const std::string reason = log.errors().empty() ? "it is not of " + std::to_string(n) + " tokens" : log.errors();
            out.failures.push_back({ seq.id, "ERR_NATIVE", "llama.cpp could not restore a sequence: " + reason });
            continue;
        }
        seq.n_past    = n;
        seq.prompting = false;
        seq.todo.clear();
        emit(out, Row{ &seq }, READY, false);
    }
    return any;
}

using Clock = std::chrono::steady_clock;

Step Core::run(std::chrono::nanoseconds budget) {
    const auto from = Clock::now();
    Step all        = step();
    for (bool on = may_go_on(all); on && Clock::now() - from < budget;) {
        Step next;
        if (run_guarded([&] { next = step(); }).code) break; // it has moved nothing: the next call meets it again
        on = may_go_on(next);
        all.append(next);
    }
    return all;
}

bool Core::may_go_on(const Step & last) const {
    if (called || abort || leaving || last.seq.empty() || last.aborted || last.look || !last.failures.empty()) return false;
    return std::all_of(last.finish.begin(), last.finish.end(), [](int32_t finish) { return finish == GOING; }) &&
           std::none_of(live.begin(), live.end(), [](const Sequence & seq) { return seq.prompting; }) && last.prompt_seq.empty();
}

Step Core::step() {
    const auto from = Clock::now();
    Step out;
    decode_and_sample(out);
    out.all = Clock::now() - from;
    return out;
}

void Core::decode_and_sample(Step & out) {
    if (restore_states(out)) {
        settle(out);
        return;
    }
    make_samplers(out);
    fill_batch();
    if (batch.n_tokens == 0) return;

    LogCapture log;
    const auto from  = Clock::now();
    const int32_t rc = decode();
    if (rc == 0 && n_outputs > 0) llama_synchronize(ctx.get()); // a device still computes
    const auto decoded = Clock::now();
    out.threads        = threads.now();
    out.decode         = decoded - from;
    abort              = false; // an abort is for the step it was called in, never for the next one
    if (rc != 0) {
        forget_partial();
        if (rc == 2) {
            out.aborted = true;
            return;
        }
        if (rc == 1)
            throw CodedError("ERR_CONTEXT_FULL", "The context has no room for the next " + std::to_string(batch.n_tokens) + " tokens");
        throw CodedError("ERR_DECODE", "llama_decode returned " + std::to_string(rc) + (log.errors().empty() ? "" : ": " + log.errors()));
    }

    for (Sequence & seq : live) {
        if (seq.n_rows == 0) continue;
        cache.evaluated(seq.id, seq.n_past, seq.n_past + seq.n_rows);
        seq.n_past += seq.n_rows;
        seq.todo.erase(seq.todo.begin(), seq.todo.begin() + seq.n_rows);
        if (seq.prompting) {
            out.prompt_seq.push_back(seq.id);
            out.prompt_left.push_back((int32_t)seq.todo.size());
        }
    }
    for (Sequence & seq : live) {
        if (seq.n_rows > 0 && seq.prompting && seq.todo.empty()) finish_prompt(seq);
    }
    const std::vector<Row> rows = read_rows();
    for (size_t first = 0, last; first < rows.size(); first = last) {
        for (last = first + 1; last < rows.size() && rows[last].seq == rows[first].seq;) last++;
        const size_t n_tokens = out.seq.size();
        const size_t n_text   = out.text.size();
        const Thrown thrown   = run_guarded([&] { advance(&rows[first], &rows[first] + (last - first), out); });
        if (!thrown.code) continue;
        out.cut(n_tokens, n_text);
        out.failures.push_back({ rows[first].seq->id, thrown.code, thrown.message });
    }
    out.sampling = Clock::now() - decoded;
    settle(out);
}

// The batch, on as many threads as pay now. A step that others starve is begun again on fewer.
int32_t Core::decode() {
    for (;;) {
        threadpool->use(threads.begin(batch.n_tokens, all_threads()));
        starved = false;
        since_step.restart();
        if (stream) stream->begin();
        const int32_t rc = llama_decode(ctx.get(), batch);
        if (rc == 0) {
            if (stream) stream->end();
            threads.done(since_step.spent());
            threadpool->computed();
        }
        if (rc != 2 || !starved || abort) return rc;
        threads.broken_off(since_step.spent());
        forget_partial();
    }
}

// What a step computes does not depend on how many threads compute it, with one exception beside `chunks_follow_threads`: for a single row
// llama.cpp's flash attention sums over as many parts of a long cache as there are threads.
bool Core::all_threads() const { return splits_single && batch.n_tokens == 1; }

// Asked by the thread that decodes, after every operation.
bool Core::breaks_off() {
    if (stream) stream->operation();
    if (abort) return true;
    if (!starved && threads.adapting() && threads.may_be_starved(since_step.wall())) starved = threads.starved(since_step.spent());
    return starved;
}

// Sequences that failed go; those that have ended go too, or are held.
void Core::settle(const Step & out) {
    for (const Failure & failure : out.failures) release(failure.seq);
    for (size_t i = 0; i < out.seq.size(); i++) {
        if (out.finish[i] == GOING) continue;
        if (find(live, out.seq[i])->branch.hold)
            hold(out.seq[i]);
        else
            release(out.seq[i]);
    }
}

// A grammar may be malformed or large: it is compiled here, on the owner thread, and its failure is its sample's own.
void Core::make_samplers(Step & out) {
    std::shared_ptr<const Grammar> last; // the samples of a job have one grammar
    for (Sequence & seq : live) {
        if (seq.sampler || !samples(seq.branch)) continue;
        const Thrown thrown = run_guarded([&] {
            const std::string & text = seq.branch.sampler.grammar;
            std::shared_ptr<const Grammar> grammar;
            if (!text.empty()) grammar = last && last->text() == text ? last : std::make_shared<Grammar>(text, llama_vocab_n_tokens(vocab));
            seq.sampler = std::make_unique<Sampler>(weights->vocabulary, seq.branch.sampler, ends_of(seq.branch), grammar, leaving);
            if (grammar) last = grammar;
        });
        if (thrown.code) out.failures.push_back({ seq.id, thrown.code, thrown.message });
    }
    for (const Failure & failure : out.failures) release(failure.seq);
}

bool Core::samples(const Branch & branch) { return branch.max_tokens > 0; }

// Tokens already being generated go first, so a long new prompt never stalls a running answer.
void Core::fill_batch() {
    batch.n_tokens = 0;
    n_outputs      = 0;
    for (Sequence & seq : live) {
        seq.n_rows    = 0;
        seq.first_row = -1;
    }
    for (const bool prompting : { false, true }) {
        for (Sequence & seq : live) {
            if (seq.waiting || seq.prompting != prompting || seq.todo.empty()) continue;
            const int32_t room  = n_batch_max - batch.n_tokens;
            const int32_t n     = std::min<int32_t>((int32_t)seq.todo.size(), room);
            const int32_t n_out = prompting ? n == (int32_t)seq.todo.size() : n;
            if (prompting && n_outputs + n_out > n_outputs_max) continue;
            add_rows(seq, prompting ? n : scored_now(seq, std::min(n, n_outputs_max - n_outputs)), !prompting);
        }
    }
}

// How many of at most `most` tokens a step scores. None is left to a step of its own: over a long cache llama.cpp's sums of a single row
// depend on the number of threads.
int32_t Core::scored_now(const Sequence & seq, int32_t most) {
    const int32_t n = std::min(most, MOST_SCORED);
    return n > 2 && (int32_t)seq.todo.size() == n + 1 ? n - 1 : n;
}

// `all_logits`: every row is sampled or scored. Otherwise only the last row of the prompt is.
void Core::add_rows(Sequence & seq, int32_t n, bool all_logits) {
    if (n <= 0) return;
    seq.n_rows    = n;
    seq.first_row = batch.n_tokens;
    for (int32_t i = 0; i < n; i++) {
        const int32_t row    = batch.n_tokens++;
        const bool output    = all_logits || i + 1 == (int32_t)seq.todo.size();
        batch.token[row]     = seq.todo[i];
        batch.pos[row]       = seq.n_past + i;
        batch.n_seq_id[row]  = 1;
        batch.seq_id[row][0] = seq.id;
        batch.logits[row]    = output;
        n_outputs += output;
    }
}

// After an abort or a failure some of the batch may be in the cache: back to what each sequence had before.
void Core::forget_partial() {
    for (const Sequence & seq : live) {
        if (seq.n_rows > 0) cache.cut(seq.id, seq.n_past);
    }
}

// The prompt is evaluated once; its copies share the cells, and all of them start from its last row of logits.
void Core::finish_prompt(Sequence & lead) {
    const int32_t row = lead.first_row + lead.n_rows - 1;
    for (const int32_t id : lead.forks) {
        Sequence & seq = *find(live, id);
        cache.copy(lead.id, id, lead.n_past);
        seq.n_past    = lead.n_past;
        seq.first_row = row;
        seq.n_rows    = 1;
        seq.waiting   = false;
        seq.prompting = false;
    }
    lead.forks.clear();
    lead.first_row = row;
    lead.n_rows    = 1;
    lead.prompting = false;
}

// Samples or scores every row that has logits, several at once: what comes of a row depends on nothing but its sequence.
std::vector<Core::Row> Core::read_rows() {
    std::vector<Row> rows;
    for (Sequence & seq : live) {
        if (seq.n_rows == 0 || seq.prompting) continue;
        for (int32_t i = 0; i < seq.n_rows; i++) {
            Row row{ &seq };
            const size_t at = seq.n_scored + (size_t)i;
            if (at < seq.branch.forced.size()) row.token = seq.branch.forced[at];
            if (row.token >= 0 || seq.sampler) row.logits = llama_get_logits_ith(ctx.get(), seq.first_row + i);
            rows.push_back(std::move(row));
        }
    }
    const size_t n_vocab = (size_t)llama_vocab_n_tokens(vocab);
    const auto read = [&](size_t i, size_t thread) { rows[i].thrown = run_guarded([&] { read_row(rows[i], n_vocab, scratch[thread]); }); };
    if (rows.size() * n_vocab < FEW_LOGITS || threads.left_one())
        for (size_t i = 0; i < rows.size(); i++) read(i, 0);
    else
        pool.for_each(rows.size(), read);
    return rows;
}

void Core::read_row(Row & row, size_t n_vocab, Scratch & scratch) {
    const Branch & branch = row.seq->branch;
    const bool given      = row.token >= 0;
    if (!given && !row.seq->sampler) return; // just there
    if (!row.logits) throw CodedError("ERR_NATIVE", "llama.cpp has no logits for a row");
    scratch.logits.read(row.logits, n_vocab);
    if (!scratch.logits.finite()) { // damaged weights must not turn into an answer
        throw CodedError("ERR_NUMERIC",
                         "The model produced logits that are not finite numbers: its weights are damaged. Verify the file's SHA-256");
    }
    if (!given) row.token = row.seq->sampler->sample(scratch.logits, scratch.sampler);
    if (given || branch.logprobs) row.logprob = scratch.logits.logprob(row.token);
    if (branch.n_top > 0)
        for (const llama_token token : scratch.logits.top((size_t)branch.n_top))
            row.top.push_back({ token, scratch.logits.logprob(token) });
}

void Core::advance(const Row * first, const Row * last, Step & out) {
    Sequence & seq = *first->seq;
    for (const Row * row = first; row < last; row++)
        if (row->thrown.code) throw CodedError(row->thrown.code, row->thrown.message);

    const auto & forced = seq.branch.forced;
    const bool sampling = samples(seq.branch);
    if (seq.n_scored < forced.size()) {
        for (; first < last && seq.n_scored < forced.size(); first++) {
            seq.n_scored++;
            emit(out, *first, seq.n_scored == forced.size() && !sampling ? END : GOING, false);
            if (seq.n_scored == 1) seq.todo.assign(forced.begin(), forced.end() - (sampling ? 0 : 1));
        }
        if (first == last) return;
    }
    if (!sampling) {
        emit(out, *first, READY, false);
        return;
    }
    seq.n_left--;
    const auto & ends   = ends_of(seq.branch);
    const bool end      = std::find(ends.begin(), ends.end(), first->token) != ends.end();
    const Finish finish = end ? END : seq.n_left <= 0 ? LENGTH : GOING;
    if (!end) seq.todo = { first->token };
    const size_t n_text = out.text.size();
    emit(out, *first, finish, !end);
    seq.at_start = false;

    const auto & stop_tokens = seq.branch.stop_tokens;
    const bool stop_token    = std::find(stop_tokens.begin(), stop_tokens.end(), first->token) != stop_tokens.end();
    if (seq.stops.may_end(out.text.substr(n_text)) || stop_token) out.look = true;
}

void Core::emit(Step & out, const Row & row, Finish finish, bool text) {
    if (text) out.text += weights->vocabulary.written(row.token, row.seq->at_start ? 1 : 0);
    out.seq.push_back(row.seq->id);
    out.token.push_back(row.token);
    out.logprob.push_back(row.logprob);
    out.finish.push_back(finish);
    out.ends.push_back((uint32_t)out.text.size());
    for (const auto & [token, logprob] : row.top) {
        out.top_token.push_back(token);
        out.top_logprob.push_back(logprob);
    }
    out.top_ends.push_back((uint32_t)out.top_token.size());
}

const std::vector<llama_token> & Core::ends_of(const Branch & branch) const {
    return branch.ends ? *branch.ends : weights->vocabulary.end_tokens();
}

Core::Sequence * Core::find(std::vector<Sequence> & in, int32_t id) {
    for (Sequence & seq : in)
        if (seq.id == id) return &seq;
    return nullptr;
}
