// The decode loop without Node, so that it can run under sanitizers.
// Usage: core-test MODEL BACKEND_DIR GOLDEN_TEXT MINI PROBE WINDOWED; prints what failed and ends in "N passed, N failed". With `--times`
// in place of the golden text it measures sampling instead.
#include "core.h"
#include "check.h"
#include "error.h"
#include "load.h"
#include "log.h"
#include "speed.h"

#include <ggml-backend.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <thread>

int passed = 0, failed = 0;

void check(bool ok, const char * promise) {
    (ok ? passed : failed)++;
    if (!ok) std::fprintf(stderr, "FAILED: %s\n", promise);
}

static SharedWeights load(const char * path) {
    LoadParams params{};
    params.paths = { path };
    return load_weights(params, [](float) { return true; }).weights;
}

static CoreParams small(uint32_t n_ctx = 512, uint32_t n_batch = 64, uint32_t n_seq_max = 6) {
    CoreParams params{};
    params.n_ctx       = n_ctx;
    params.n_batch     = n_batch;
    params.n_seq_max   = n_seq_max;
    params.n_threads   = 1;
    params.n_samplers  = 1;
    params.poll        = 50;
    params.own_kernels = true;
    params.type_k      = GGML_TYPE_F32;
    params.type_v      = GGML_TYPE_F32;
    params.flash_attn  = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    return params;
}

static Branch sampled(int32_t max_tokens, float temperature = 0.0f, uint32_t seed = 1, bool hold = false) {
    Branch branch;
    branch.max_tokens          = max_tokens;
    branch.sampler.temperature = temperature;
    branch.sampler.seed        = seed;
    branch.hold                = hold;
    return branch;
}

struct Output {
    std::map<int32_t, std::string> text;
    std::map<int32_t, std::vector<float>> logprobs;
    std::map<int32_t, int32_t> finish;
    int steps = 0;
};

static void take(const Step & step, Output & out) {
    uint32_t from = 0;
    for (size_t i = 0; i < step.seq.size(); i++) {
        out.text[step.seq[i]] += step.text.substr(from, step.ends[i] - from);
        from = step.ends[i];
        out.logprobs[step.seq[i]].push_back(step.logprob[i]);
        if (step.finish[i] != GOING) out.finish[step.seq[i]] = step.finish[i];
    }
    out.steps++;
}

static Output drain(Core & core) {
    Output out;
    while (core.n_live() > 0) take(core.step(), out);
    return out;
}

static std::vector<llama_token> drain_tokens(Core & core, int32_t id) {
    std::vector<llama_token> tokens;
    while (core.n_live() > 0) {
        const Step step = core.step();
        for (size_t i = 0; i < step.seq.size(); i++)
            if (step.seq[i] == id) tokens.push_back(step.token[i]);
    }
    return tokens;
}

// Starts a job with as many cells as it can take.
static std::vector<int32_t> add(Core & core, Job job) {
    job.cells = core.cells_for(job);
    return core.add(job);
}

static std::string one(Core & core, const Job & job) {
    const int32_t id = add(core, job)[0];
    return drain(core).text[id];
}

static void golden_on(Core & core, const std::string & golden) {
    Job job;
    job.prompt       = { 1 };
    job.branches     = { sampled(200) };
    std::string text = one(core, job);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.pop_back();
    check(text == golden, "greedy text equals the golden text");
}

static void golden_text(const SharedWeights & weights, const std::string & golden) {
    Core core(weights, small());
    golden_on(core, golden);
}

static std::vector<llama_token> tokens_of(const SharedWeights & weights, const std::string & text) {
    return weights->vocabulary.tokenize({ { text, false } }, Bos::AUTO, false);
}

static void shared_prompt(const SharedWeights & weights) {
    Core core(weights, small());
    Job job;
    job.prompt = tokens_of(weights, "Once upon a time, there was a little girl");
    for (uint32_t seed = 0; seed < 5; seed++) job.branches.push_back(sampled(24, 0.8f, seed));
    const auto ids   = add(core, job);
    const Output all = drain(core);
    check(all.steps == 24, "the prompt is evaluated once, in the step of the first tokens");

    for (uint32_t i = 0; i < 5; i++) {
        Job single      = job;
        single.branches = { sampled(24, 0.8f, i) };
        check(one(core, single) == all.text.at(ids[i]), "a sample of five equals the same sample alone");
    }
}

static void scoring(const SharedWeights & weights) {
    Core core(weights, small());
    Job job;
    job.prompt = tokens_of(weights, "Once upon a time, there was a little");
    Branch girl;
    girl.forced = { 298, 315, 421 };
    Branch boy;
    boy.forced     = { 268, 414, 422 };
    job.branches   = { girl, boy };
    const auto ids = add(core, job);
    Output out     = drain(core);
    const auto sum = [&](int32_t id) {
        double total = 0;
        for (const float x : out.logprobs[id]) total += x;
        return total;
    };
    check(std::abs(sum(ids[0]) - -0.451416) < 1e-4, "log-probability of ' girl' equals the reference");
    check(std::abs(sum(ids[1]) - -1.526393) < 1e-4, "log-probability of ' boy' equals the reference");
}

// Given tokens are scored and sampling goes on behind them, as if they had been the prompt.
static void scoring_then_sampling(const SharedWeights & weights) {
    Core core(weights, small());
    Job job;
    job.prompt              = tokens_of(weights, "Once upon a time, there was a little");
    job.branches            = { sampled(12) };
    const std::string alone = one(core, job);

    Branch scored;
    scored.forced = { job.prompt.begin() + 1, job.prompt.end() };
    Job whole;
    whole.prompt          = { job.prompt[0] };
    whole.branches        = { scored };
    const auto id         = add(core, whole)[0];
    const auto of_scoring = drain(core).logprobs[id];

    Branch both      = sampled(12);
    both.forced      = scored.forced;
    both.logprobs    = true;
    both.n_top       = 3;
    whole.branches   = { both };
    const auto again = add(core, whole)[0];
    std::vector<float> logprobs;
    std::string text;
    bool tops = true;
    for (int steps = 0; core.n_live() > 0; steps++) {
        const Step step = core.step();
        text += step.text;
        for (size_t i = 0; i < step.seq.size(); i++) {
            check(step.seq[i] == again, "steps are of the one sequence");
            logprobs.push_back(step.logprob[i]);
            const size_t from = i == 0 ? 0 : step.top_ends[i - 1];
            tops              = tops && step.top_ends[i] == from + 3 && step.top_logprob[from] >= step.top_logprob[from + 1] &&
                   step.top_logprob[from + 1] >= step.top_logprob[from + 2] && step.top_logprob[from] >= step.logprob[i];
            const bool sampling = logprobs.size() > both.forced.size();
            if (sampling) tops = tops && step.top_token[from] == step.token[i] && step.top_logprob[from] == step.logprob[i];
        }
    }
    check(tops, "the most probable tokens come in their order, and a greedy sample is the first of them");
    check(text == alone, "what is sampled behind scored tokens is what is sampled behind a prompt of them");
    check(logprobs.size() == both.forced.size() + 12, "every token has its log-probability, scored or sampled");
    for (size_t i = 0; i < of_scoring.size(); i++)
        check(std::abs(logprobs[i] - of_scoring[i]) < 1e-5, "scores do not depend on what comes behind them");
}

static void cancelling(const SharedWeights & weights) {
    Core core(weights, small());
    Job job;
    job.prompt              = tokens_of(weights, "Once upon a time");
    const std::string alone = [&] {
        Job single      = job;
        single.branches = { sampled(20) };
        return one(core, single);
    }();

    job.branches   = { sampled(20, 0.8f, 7), sampled(20), sampled(20, 0.8f, 8) };
    const auto ids = add(core, job);
    core.release(ids[0]); // it was to evaluate the prompt for the others
    check(drain(core).text[ids[1]] == alone, "the prompt is handed on when its evaluator is released");

    job.branches = { sampled(400) };
    for (int i = 0; i < 50; i++) {
        const auto id = add(core, job);
        core.step();
        core.release(id[0]);
    }
    job.branches = { sampled(20) };
    check(one(core, job) == alone, "released sequences leave the cache clean");
    core.release(123);
    core.hold(123);
    check(core.n_live() == 0, "unknown ids are ignored");
}

static void aborting(const SharedWeights & weights) {
    Core core(weights, small());
    Job job;
    job.prompt                 = tokens_of(weights, "Once upon a time, there was a little girl named Lily. She loved to play outside.");
    job.branches               = { sampled(20) };
    const std::string expected = one(core, job);

    const int32_t id = add(core, job)[0];
    core.abort       = true;
    Step step        = core.step();
    check(step.aborted && step.seq.empty(), "an aborted step says so and yields nothing");
    check(drain(core).text[id] == expected, "a step can be tried again after an abort");

    std::atomic<bool> done{ false };
    std::thread nuisance([&] {
        for (int pause = 300; !done; pause++) { // ever longer, until a step fits in between however slow the machine is
            core.abort = true;
            std::this_thread::sleep_for(std::chrono::microseconds(pause));
        }
    });
    for (int i = 0; i < 20; i++) check(one(core, job) == expected, "text does not depend on aborted steps");
    done = true;
    nuisance.join();
}

static void holding(const SharedWeights & weights) {
    Core core(weights, small());
    const auto head = tokens_of(weights, "Once upon a time, there was a little girl");
    const std::vector<llama_token> tail(head.end() - 4, head.end());
    Job whole;
    whole.prompt               = head;
    whole.branches             = { sampled(20) };
    const std::string expected = one(core, whole);

    Job prefix;
    prefix.prompt = { head.begin(), head.end() - 4 };
    Branch ready;
    ready.hold           = true;
    prefix.branches      = { ready };
    const int32_t shared = add(core, prefix)[0];
    check(drain(core).finish[shared] == READY, "a prefix is ready once it has been evaluated");

    Job rest;
    rest.from     = shared;
    rest.prompt   = tail;
    rest.branches = { sampled(20), sampled(20, 0.8f, 3) };
    for (int i = 0; i < 3; i++) {
        const auto ids = add(core, rest);
        check(drain(core).text[ids[0]] == expected, "a job that starts from a prefix equals one that does not");
    }

    Job first             = whole;
    first.branches        = { sampled(8, 0.0f, 1, true) };
    const int32_t sample  = add(core, first)[0];
    std::string continued = drain(core).text[sample];
    Job cut;
    cut.from      = sample;
    cut.from_size = (int32_t)head.size() - 4;
    cut.prompt    = tail;
    cut.branches  = { sampled(20) };
    check(one(core, cut) == expected, "a held sample can be cut back");
    core.release(sample);
    core.release(shared);
    bool refused = false;
    try {
        add(core, rest);
    } catch (const CodedError & error) { refused = std::string(error.code) == "ERR_OPTION"; }
    check(refused, "a released sequence cannot be started from");
}

static void overflowing(const SharedWeights & weights) {
    Core core(weights, small(256, 64, 4));
    Job job;
    job.prompt          = tokens_of(weights, "Once upon a time");
    Branch endless      = sampled(10000, 0.8f, 1);
    endless.ends        = std::vector<llama_token>{};
    job.branches        = { endless };
    const int32_t id    = add(core, job)[0];
    const char * caught = "";
    try {
        drain(core);
    } catch (const CodedError & error) { caught = error.code; }
    check(std::string(caught) == "ERR_CONTEXT_FULL", "a full cache is an error with a code");
    core.release(id);
    job.branches = { sampled(10) };
    check(!one(core, job).empty(), "the core works after a full cache");

    job.branches.assign(5, sampled(1));
    caught = "";
    try {
        add(core, job);
    } catch (const CodedError & error) { caught = error.code; }
    check(std::string(caught) == "ERR_BUSY", "more branches than sequences are refused");
}

static void running_ahead(const SharedWeights & weights) {
    using namespace std::chrono_literals;
    Core core(weights, small(256, 64, 4));
    Job job;
    job.prompt = tokens_of(weights, "Once upon a time");
    for (uint32_t seed = 0; seed < 3; seed++) job.branches.push_back(sampled(24, 0.8f, seed));
    auto ids       = add(core, job);
    Output out     = drain(core);
    const auto all = [&] { return out.text[ids[0]] + "|" + out.text[ids[1]] + "|" + out.text[ids[2]]; };

    const std::string expected = all();

    ids       = add(core, job);
    out       = {};
    Step step = core.run(1h);
    check(step.steps == 1 && !step.prompt_seq.empty(), "a run ends with a prompt");
    take(step, out);
    step = core.run(0h);
    check(step.steps == 1, "a run without time is one step");
    take(step, out);
    core.called = true;
    step        = core.run(1h);
    check(step.steps == 1, "a run that is called ends with its first step");
    core.called = false;
    take(step, out);
    step = core.run(1h);
    check(step.steps == 21 && core.n_live() == 0, "a run goes on until a sequence ends");
    check(step.decode > 0ns && step.sampling > 0ns && step.all >= step.decode + step.sampling, "a run knows where its time went");
    take(step, out);
    check(all() == expected, "what is sampled in one run equals what is sampled step by step");

    Branch endless      = sampled(10000, 0.8f, 1);
    endless.ends        = std::vector<llama_token>{};
    job.branches        = { endless };
    const int32_t id    = add(core, job)[0];
    size_t n_tokens     = 0;
    const char * caught = "";
    for (int i = 0; i < 3 && !*caught; i++) {
        try {
            n_tokens += core.run(1h).token.size();
        } catch (const CodedError & error) { caught = error.code; }
    }
    check(std::string(caught) == "ERR_CONTEXT_FULL", "a step that fails behind others fails in the next run");
    check(n_tokens == 256 - job.prompt.size() + 1, "what was sampled before it is there");
    core.release(id);
}

static void stop_watch() {
    StopWatch watch({ "ab\xE2\x82\xAC", "b" });
    const auto said = [&](std::initializer_list<const char *> pieces) {
        std::string out;
        for (const char * piece : pieces) out += watch.may_end(piece) ? '1' : '0';
        return out;
    };
    check(said({ "a", "aa", "cab", "a", "\xE2" }) == "00100", "a stop string is noticed with its last byte");
    watch = StopWatch({ "ab\xE2\x82\xAC" });
    check(said({ "a", "ab", "\xE2", "\x82", "\xAC", "", "\xAC" }) == "0000100", "wherever it is cut");
    watch = StopWatch({ "\xEF\xBF\xBD" });
    check(said({ "a", "" }) == "11", "any bytes may be those that are no text");
}

static void grammars(const SharedWeights & weights) {
    Core core(weights, small());
    Job job;
    job.prompt = tokens_of(weights, "Once upon a time");
    for (uint32_t seed = 0; seed < 4; seed++) {
        Branch branch          = sampled(12, 0.8f, seed);
        branch.sampler.grammar = "root ::= \" \" (\"yes\" | \"no\" | \"maybe\")";
        job.branches.push_back(branch);
    }
    const auto ids = add(core, job);
    Output out     = drain(core);
    for (const int32_t id : ids) {
        const std::string & text = out.text[id];
        check(text == " yes" || text == " no" || text == " maybe", "a grammar holds");
        check(out.finish[id] == END, "a finished grammar ends the sample");
    }
    job.branches[0].sampler.grammar = "root ::= (";
    const auto again                = add(core, job);
    const Step step                 = core.step();
    check(step.failures.size() == 1 && step.failures[0].seq == again[0] && std::string(step.failures[0].code) == "ERR_GRAMMAR",
          "a grammar that cannot be read fails its own sample");
    Output others;
    take(step, others);
    while (core.n_live() > 0) take(core.step(), others);
    check(others.text[again[1]] == out.text[ids[1]], "its neighbours evaluate the prompt and go on");
}

static const char * code_of(const std::function<void()> & work) {
    const Thrown thrown = run_guarded(work);
    return thrown.code ? thrown.code : "";
}

// A context of 256 cells in which a job that takes exactly what cells_for() says has to finish.
static void cells(const SharedWeights & weights) {
    const std::vector<llama_token> prompt = tokens_of(weights, "Once upon a time");
    Branch scored;
    scored.forced = { 298, 315, 421 };
    Branch both   = sampled(5);
    both.forced   = scored.forced;
    Branch ready;
    ready.hold = true;
    for (const bool whole : { true, false }) {
        for (const Branch & branch : { sampled(5), scored, both, ready }) {
            Core core(weights, small(256, 64, 16));
            Job first;
            first.prompt       = prompt;
            first.branches     = { sampled(20, 0.0f, 1, true) };
            const int32_t seq  = add(core, first)[0];
            const Output drawn = drain(core);
            check(drawn.finish.at(seq) == LENGTH, "a sample that has not ended is held");
            const int32_t taken = (int32_t)prompt.size() + 19; // its last token has not been evaluated

            Job filler;
            filler.prompt.assign(32, 300);
            filler.branches = { ready };
            Job next;
            next.from            = seq;
            next.from_size       = whole ? -1 : taken;
            next.prompt          = { 298 };
            next.branches        = { branch };
            next.cells           = core.cells_for(next);
            const int32_t tokens = (int32_t)branch.forced.size() + branch.max_tokens;
            check(next.cells == 1 + (whole ? 1 : 0) + std::max(0, tokens - 1),
                  "starting from a whole sample takes one cell more than starting from what has been evaluated of it");
            for (int32_t left = 256 - taken - next.cells; left > 0; left -= (int32_t)filler.prompt.size()) {
                filler.prompt.resize(std::min<size_t>(filler.prompt.size(), left));
                add(core, filler);
                drain(core);
            }
            Job less   = next;
            less.cells = next.cells - 1;
            check(std::string(code_of([&] { core.add(less); })) == "ERR_NATIVE", "fewer cells than a job takes are refused");
            const int32_t id = core.add(next)[0];
            check(std::string(code_of([&] { drain(core); })).empty(), "a job finishes in the cells that it takes");
            core.release(id);
        }
    }
}

static void own_failures(const SharedWeights & weights) {
    Core core(weights, small());
    Job job;
    job.prompt              = tokens_of(weights, "Once upon a time");
    job.branches            = { sampled(20) };
    const std::string alone = one(core, job);

    std::vector<llama_logit_bias> nothing;
    for (llama_token id = 0; id < llama_vocab_n_tokens(weights->vocabulary.raw()); id++) nothing.push_back({ id, -INFINITY });
    for (const float temperature : { 0.0f, 0.8f }) {
        for (const bool grammar : { false, true }) {
            Branch bad             = sampled(20, temperature);
            bad.sampler.logit_bias = nothing;
            if (grammar) {
                bad.sampler.grammar = "root ::= \"yes\"";
                bad.sampler.logit_bias.resize(nothing.size() - 5); // tokens that the grammar does not allow are left
            }
            job.branches   = { bad, sampled(20), bad };
            const auto ids = add(core, job);
            Output out;
            std::vector<Failure> failures;
            while (core.n_live() > 0) {
                const Step step = core.step();
                take(step, out);
                failures.insert(failures.end(), step.failures.begin(), step.failures.end());
            }
            check(failures.size() == 2 && failures[0].seq == ids[0] && failures[1].seq == ids[2],
                  "only the samples that cannot go on fail");
            for (const Failure & failure : failures) {
                check(std::string(failure.code) == "ERR_OPTION" && failure.message.find("logitBias") != std::string::npos,
                      "a bias that forbids every token is named");
            }
            check(out.text[ids[1]] == alone, "the neighbour of a failed sample goes on");
            check(out.text.count(ids[0]) == 0, "a failed sample yields nothing in the step it fails in");
        }
    }
    job.branches = { sampled(20) };
    check(one(core, job) == alone, "the core works after samples failed");
}

static void own_ends(const SharedWeights & weights) {
    Core core(weights, small());
    Job job;
    job.prompt            = { 1 };
    job.branches          = { sampled(40) };
    const int32_t id      = add(core, job)[0];
    const auto plain      = drain_tokens(core, id);
    const llama_token end = plain[7];
    const auto first      = std::find(plain.begin(), plain.end(), end);
    job.branches[0].ends  = { end };
    check(drain_tokens(core, add(core, job)[0]) == std::vector<llama_token>(plain.begin(), first + 1),
          "a job's own end tokens end its samples");

    const llama_token model_end        = llama_vocab_eos(weights->vocabulary.raw());
    job.branches[0].sampler.logit_bias = { { model_end, 1000.0f } };
    job.branches[0].ends               = std::nullopt;
    check(drain_tokens(core, add(core, job)[0]).size() == 1, "the model's end token ends a sample");
    for (const std::vector<llama_token> & ends : { std::vector<llama_token>{}, std::vector<llama_token>{ end } }) {
        job.branches[0].ends = ends;
        check(drain_tokens(core, add(core, job)[0]).size() == 40, "the model's end token does not end a sample that has others, or none");
    }
}

static Branch there() {
    Branch branch;
    branch.hold = true;
    return branch;
}

static void saved_states(const SharedWeights & weights) {
    const auto prompt = tokens_of(weights, "Once upon a time, there was a little girl named Lily. She loved to play");
    const auto texts  = [&](Core & core, int32_t head) {
        Job job;
        job.from   = head;
        job.prompt = tokens_of(weights, " outside");
        for (uint32_t seed = 0; seed < 3; seed++) job.branches.push_back(sampled(24, 0.8f, seed));
        for (Branch & branch : job.branches) branch.logprobs = true;
        add(core, job);
        const Output out = drain(core);
        return std::make_pair(out.text, out.logprobs);
    };
    Job evaluate;
    evaluate.prompt   = prompt;
    evaluate.branches = { there() };
    Job restore       = evaluate;

    Core first(weights, small());
    const int32_t head = add(first, evaluate)[0];
    drain(first);
    const std::vector<uint8_t> saved = first.save(head);
    restore.state                    = State{ saved.data(), saved.size() };
    const auto expected              = texts(first, head);

    Core second(weights, small());
    const int32_t back = add(second, restore)[0];
    check(drain(second).finish[back] == READY, "a state is restored and its sequence held");
    check(texts(second, back) == expected, "samples from a restored state are those from the evaluated prompt, bit for bit");
    check(second.save(back) == saved, "a restored state is saved as it was");

    // Among others that run: a step of its own, and nobody loses one.
    Job other;
    other.prompt        = tokens_of(weights, "Once upon a time");
    other.branches      = { sampled(20) };
    const int32_t going = add(second, other)[0];
    const Step one_step = second.step();
    const int32_t again = add(second, restore)[0];
    const Step restored = second.step();
    check(restored.seq == std::vector<int32_t>{ again } && restored.finish[0] == READY, "restoring is a step of its own");
    const std::string rest = one_step.text + drain(second).text[going];
    Core third(weights, small());
    check(rest == one(third, other), "a sample that runs meanwhile is as it is alone");

    const auto refused = [&](Core & core, const Job & job) {
        const int32_t id = add(core, job)[0];
        const Step step  = core.step();
        return step.failures.size() == 1 && step.failures[0].seq == id && core.n_live() == 0;
    };
    Job longer = restore;
    longer.prompt.push_back(1);
    check(refused(third, longer), "a state of another length is refused");
    for (const size_t size : { size_t(0), size_t(4), saved.size() / 2, saved.size() - 1 }) {
        const std::vector<uint8_t> part(saved.begin(), saved.begin() + size); // of its own, so that a sanitizer sees its end
        Job cut   = restore;
        cut.state = State{ part.data(), part.size() };
        check(refused(third, cut), "a state that was cut short is refused");
    }
    check(one(third, other) == rest, "a state that was refused leaves nothing behind");

    Job two      = restore;
    two.branches = { there(), there() };
    check(run_guarded([&] { add(third, two); }).code == std::string("ERR_OPTION"), "a state is restored for one sequence");
    check(run_guarded([&] { third.save(0); }).code == std::string("ERR_CLOSED"), "only a held sequence is saved");
}

// Of a model whose layers see the last 32 tokens, and one in two all of them.
static void sliding_window(const SharedWeights & weights) {
    const auto tokens = [](int32_t n, int32_t seed) {
        std::vector<llama_token> out;
        for (int32_t i = 0; i < n; i++) out.push_back(10 + (i * 31 + seed * 17) % 280);
        return out;
    };
    const auto evaluate = [&](Core & core, int32_t n, int32_t seed) {
        Job job;
        job.prompt       = tokens(n, seed);
        job.branches     = { there() };
        const int32_t id = add(core, job)[0];
        drain(core);
        return id;
    };
    const int32_t places[] = { 20, 64, 100, 128, 150, 199, 200 };
    const auto scores      = [&](Core & core, int32_t from) {
        std::vector<float> out;
        for (const int32_t place : places) {
            Job job;
            job.from      = from;
            job.from_size = place;
            job.prompt    = { 100, 120, 140 };
            Branch branch;
            branch.forced      = { 50, 60, 70 };
            job.branches       = { branch };
            const int32_t id   = add(core, job)[0];
            const Output ended = drain(core);
            const auto & each  = ended.logprobs.at(id);
            out.insert(out.end(), each.begin(), each.end());
        }
        return out;
    };
    const auto same = [](const std::vector<float> & a, const std::vector<float> & b) {
        for (size_t i = 0; i < a.size() && i < b.size(); i++)
            if (!(std::fabs(a[i] - b[i]) < 0.02f)) return false;
        return a.size() == b.size() && !a.empty();
    };

    Core alone(weights, small());
    const int32_t quiet = evaluate(alone, 200, 3);
    const auto expected = scores(alone, quiet);

    // The cells of what is held lie in the way of what is evaluated next.
    Core busy(weights, small());
    evaluate(busy, 100, 1);
    const int32_t gone = evaluate(busy, 100, 2);
    const int32_t held = evaluate(busy, 200, 3);
    busy.release(gone);
    evaluate(busy, 100, 4);
    for (int32_t seed = 5; seed < 9; seed++) busy.release(evaluate(busy, 100, seed));
    check(same(scores(busy, held), expected), "a held sequence is whole, however far a window has gone on");

    const std::vector<uint8_t> saved = busy.save(held);
    Job restore;
    restore.prompt   = tokens(200, 3);
    restore.branches = { there() };
    restore.state    = State{ saved.data(), saved.size() };
    Core other(weights, small());
    evaluate(other, 100, 1);
    other.release(evaluate(other, 60, 2));
    const int32_t back = add(other, restore)[0];
    check(drain(other).finish[back] == READY, "a state longer than the window is restored");
    check(same(scores(other, back), expected), "and is whole");
    check(other.save(back).size() == saved.size(), "and is saved again");

    const int32_t free = busy.n_seq_max() - 3;
    Job wide;
    wide.prompt = tokens(10, 1);
    for (int32_t i = 0; i < free; i++) wide.branches.push_back(sampled(4));
    check(add(busy, wide).size() == (size_t)free, "a sequence that failed or was released leaves its id");
    drain(busy);
    for (const size_t size : { size_t(0), size_t(4), size_t(8), saved.size() / 2, saved.size() - 1 }) {
        const std::vector<uint8_t> part(saved.begin(), saved.begin() + size);
        Job cut   = restore;
        cut.state = State{ part.data(), part.size() };
        Core third(weights, small());
        const int32_t id = add(third, cut)[0];
        const Step step  = third.step();
        check(step.failures.size() == 1 && step.failures[0].seq == id, "a state of pieces that was cut short is refused");
        check(same(scores(third, evaluate(third, 200, 3)), expected), "and leaves nothing behind");
    }

    Core many(weights, small(512, 64, 256));
    check(many.n_seq_max() == 127, "each sequence has a double");
    Job all;
    all.prompt = tokens(10, 1);
    for (uint32_t seed = 0; seed < 127; seed++) all.branches.push_back(sampled(3, 0.8f, seed));
    add(many, all);
    check(drain(many).finish.size() == 127, "as many sequences as there may be run at once");
}

static void vocabulary(const SharedWeights & weights) {
    const Vocabulary & v = weights->vocabulary;
    const auto user      = v.tokenize({ { "<s>Hi</s>", false } }, Bos::NEVER, false);
    bool special         = false;
    for (const llama_token token : user) special = special || v.is_special(token);
    check(!special, "text from outside never yields special tokens");
    const auto ours = v.tokenize({ { "<s>", true }, { "Hi", false }, { "</s>", true } }, Bos::NEVER, false);
    check(ours.front() == 1 && ours.back() == 2, "template text yields special tokens");
    check(v.tokenize({ { "<s>", true }, { "Hi", false } }, Bos::ALWAYS, false)[1] != 1, "exactly one beginning token");
    check(v.tokenize({ { "On", false }, { "ce", false } }, Bos::NEVER, false) == v.tokenize({ { "Once", false } }, Bos::NEVER, false),
          "adjacent plain segments are one run");
    check(v.tokenize({}, Bos::NEVER, false).empty(), "no text, no tokens");
    const std::string text(100000, 'a');
    check(v.detokenize(v.tokenize({ { text, false } }, Bos::NEVER, false), false).size() >= text.size(),
          "a long run of one letter survives");
}

// Whether rows of a type that is not packed are refused, and each number of vectors gets its time.
static void speed() {
    for (const bool repack : { false, true }) {
        const auto seconds = seconds_per_byte({ GGML_TYPE_Q4_K, repack, 2, 20'000'000, 0.01, { 1, 5, 32 } });
        check(seconds.size() == 3 && std::all_of(seconds.begin(), seconds.end(), [](double s) { return s > 0; }), "each number is timed");
    }
    for (const int32_t threads : { 1, 2 }) check(read_speed(threads, 1'000'000, 0.001) > 0, "memory is read at some speed");
    for (int type = 0; type < GGML_TYPE_COUNT; type++) {
        try {
            const auto seconds = seconds_per_byte({ (ggml_type)type, true, 1, 1, 0.0, { 1 } });
            check(seconds.size() == 1 && seconds[0] > 0, "a type that is packed is measured");
        } catch (const CodedError & error) { check(std::string(error.code) == "ERR_NATIVE", "a type that is not packed is refused"); }
    }
}

// Weights that are walked through, as if they were larger than memory, give the same text.
static void streaming(const std::string & path, const std::string & expected) {
    LoadParams load{};
    load.paths                  = { path };
    load.mmap                   = true;
    const SharedWeights weights = load_weights(load, [](float) { return true; }).weights;
    CoreParams params           = small();
    params.streamed             = path;
    params.stay                 = 100'000;
    Core core(weights, params);
    golden_on(core, expected);
    params.streamed += ".none";
    Core other(weights, params);
    golden_on(other, expected);
}

int main(int argc, char ** argv) {
    if (argc != 7) {
        std::fprintf(stderr, "Usage: core-test MODEL BACKEND_DIR GOLDEN_TEXT MINI PROBE\n");
        return 2;
    }
    LogCapture::install();
    if (ggml_backend_dev_count() == 0) ggml_backend_load_all_from_path(argv[2]);

    if (argv[3] == std::string("--times")) {
        sampling_times(load(argv[1])->vocabulary);
        return 0;
    }
    std::stringstream golden;
    golden << std::ifstream(argv[3]).rdbuf();
    std::string expected = golden.str();
    while (!expected.empty() && (expected.back() == ' ' || expected.back() == '\n')) expected.pop_back();

    SharedWeights weights = load(argv[1]);
    golden_text(weights, expected);
    shared_prompt(weights);
    scoring(weights);
    scoring_then_sampling(weights);
    cancelling(weights);
    aborting(weights);
    holding(weights);
    overflowing(weights);
    running_ahead(weights);
    stop_watch();
    cells(weights);
    own_failures(weights);
    own_ends(weights);
    saved_states(weights);
    sliding_window(load(argv[6]));
    speed();
    file_pages(argv[1]);
    memory_ahead();
    own_products();

    streaming(argv[1], expected);
    threads_follow_the_machine();
    // The sanitizer takes the threads of libraries that it has not instrumented for unsynchronized.
#if defined(__SANITIZE_THREAD__)
    if (MEDITRON_LLAMA_KIND != std::string("prebuilt"))
#endif
        for (const char * model : { argv[1], argv[4], argv[5] }) any_number_of_threads(model, model == argv[5]);
    grammars(weights);
    grammar_properties(weights->vocabulary);
    logit_rows(weights->vocabulary);
    sampling_order(weights->vocabulary);
    vocabulary(weights);
    long_texts(MEDITRON_VOCABULARIES);

    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
