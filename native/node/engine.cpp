#include "engine.h"

#include "arguments.h"
#include "model.h"

Napi::Function Engine::init(Napi::Env env) {
    return DefineClass(env, "Engine",
                       {
                           InstanceMethod<&Engine::open>("open"),
                           InstanceMethod<&Engine::add>("add"),
                           InstanceMethod<&Engine::release>("release"),
                           InstanceMethod<&Engine::hold>("hold"),
                           InstanceMethod<&Engine::save>("save"),
                           InstanceMethod<&Engine::step>("step"),
                           InstanceMethod<&Engine::call>("call"),
                           InstanceMethod<&Engine::abort>("abort"),
                           InstanceMethod<&Engine::close>("close"),
                       });
}

static void leave(Core & core) {
    core.leaving = true;
    core.abort   = true;
}

Engine::Engine(const Napi::CallbackInfo & info) : Napi::ObjectWrap<Engine>(info) {
    weights = Model::Unwrap(info[0].As<Napi::Object>())->weights_now(info.Env());
    owner   = std::make_unique<Owner>(
        info.Env(), "meditron.engine",
        [this] {
            if (core) leave(*core);
        },
        [this](bool busy) { busy ? (void)Ref() : (void)Unref(); });
}

Core & Engine::core_now(Napi::Env env) const {
    if (!core) throw to_js(env, "ERR_CLOSED", "The engine is closed");
    if (stepping) throw to_js(env, "ERR_BUSY", "A step is running");
    return *core;
}

static ggml_type kv_type(const std::string & name) {
    if (name == "f32") return GGML_TYPE_F32;
    if (name == "q8_0") return GGML_TYPE_Q8_0;
    return GGML_TYPE_F16;
}

static llama_flash_attn_type flash_type(const std::string & name) {
    if (name == "on") return LLAMA_FLASH_ATTN_TYPE_ENABLED;
    if (name == "off") return LLAMA_FLASH_ATTN_TYPE_DISABLED;
    return LLAMA_FLASH_ATTN_TYPE_AUTO;
}

Napi::Value Engine::open(const Napi::CallbackInfo & info) {
    const auto object = info[0].As<Napi::Object>();
    CoreParams params;
    params.n_ctx         = (uint32_t)number_of(object, "contextSize");
    params.n_batch       = (uint32_t)number_of(object, "batchSize");
    params.n_seq_max     = (uint32_t)number_of(object, "maxSequences");
    params.n_threads     = (int32_t)number_of(object, "threads");
    params.n_samplers    = (int32_t)number_of(object, "samplers");
    params.adapt_threads = flag_of(object, "adaptThreads");
    params.streamed      = text_of(object, "streamed");
    params.stay          = (uint64_t)number_of(object, "stay");
    params.resident      = flag_of(object, "resident");
    params.poll          = (uint32_t)number_of(object, "poll");
    params.type_k        = kv_type(text_of(object, "kvType"));
    params.type_v        = params.type_k;
    params.flash_attn    = flash_type(text_of(object, "flashAttention"));
    params.own_kernels   = text_of(object, "kernels") == "auto";

    const auto loras = object.Get("loras").As<Napi::Array>();
    for (uint32_t i = 0; i < loras.Length(); i++) {
        const auto lora = loras.Get(i).As<Napi::Object>();
        params.loras.push_back({ text_of(lora, "path"), (float)number_of(lora, "scale") });
    }

    return owner->run<std::shared_ptr<Core>>([weights = weights, params] { return std::make_shared<Core>(weights, params); },
                                             [this](Napi::Env env, std::shared_ptr<Core> & opened) -> Napi::Value {
                                                 core     = std::move(opened);
                                                 auto out = Napi::Object::New(env);
                                                 out.Set("contextSize", core->n_ctx());
                                                 out.Set("batchSize", core->n_batch());
                                                 out.Set("maxSequences", core->n_seq_max());
                                                 out.Set("kernels", core->kernels());
                                                 return out;
                                             });
}

static SamplerParams sampler_of(const Napi::Object & object) {
    SamplerParams params;
    params.temperature       = (float)number_of(object, "temperature");
    params.top_k             = (int32_t)number_of(object, "topK");
    params.top_p             = (float)number_of(object, "topP");
    params.min_p             = (float)number_of(object, "minP");
    params.repeat_penalty    = (float)number_of(object, "repeatPenalty");
    params.frequency_penalty = (float)number_of(object, "frequencyPenalty");
    params.presence_penalty  = (float)number_of(object, "presencePenalty");
    params.seed              = (uint32_t)number_of(object, "seed");
    params.grammar           = text_of(object, "grammar");

    const auto tokens = object.Get("biasTokens").As<Napi::Int32Array>();
    const auto biases = object.Get("biases").As<Napi::Float32Array>();
    for (size_t i = 0; i < tokens.ElementLength() && i < biases.ElementLength(); i++) {
        params.logit_bias.push_back({ tokens[i], biases[i] });
    }
    return params;
}

static Branch branch_of(const Napi::Object & object) {
    Branch branch;
    branch.max_tokens = (int32_t)number_of(object, "maxTokens");
    branch.forced     = ids_of(object.Get("forced"));
    branch.logprobs   = flag_of(object, "logprobs");
    branch.hold       = flag_of(object, "hold");
    branch.n_top      = (int32_t)number_of(object, "topLogprobs");
    if (object.Get("ends").IsTypedArray()) branch.ends = ids_of(object.Get("ends"));
    branch.stop_tokens = ids_of(object.Get("stopTokens"));
    const auto stops   = object.Get("stops").As<Napi::Array>();
    for (uint32_t i = 0; i < stops.Length(); i++) branch.stops.push_back(stops.Get(i).As<Napi::String>().Utf8Value());
    if (branch.max_tokens > 0) branch.sampler = sampler_of(object.Get("sampler").As<Napi::Object>());
    return branch;
}

static void check_ids(Napi::Env env, const std::vector<llama_token> & ids, int32_t n_vocab) {
    for (const llama_token id : ids) {
        if (id >= 0 && id < n_vocab) continue;
        throw to_js(env, "ERR_OPTION", "Expected token ids from 0 to " + std::to_string(n_vocab - 1) + ", got " + std::to_string(id));
    }
}

Napi::Value Engine::add(const Napi::CallbackInfo & info) {
    const Napi::Env env   = info.Env();
    Core & core           = core_now(env);
    const int32_t n_vocab = llama_vocab_n_tokens(weights->vocabulary.raw());
    const auto object     = info[0].As<Napi::Object>();
    const auto list       = object.Get("branches").As<Napi::Array>();

    Job job;
    job.from      = (int32_t)number_of(object, "from");
    job.from_size = (int32_t)number_of(object, "fromSize");
    job.cells     = (int32_t)number_of(object, "cells");
    job.prompt    = ids_of(object.Get("prompt"));
    for (uint32_t i = 0; i < list.Length(); i++) job.branches.push_back(branch_of(list.Get(i).As<Napi::Object>()));

    const bool saved = object.Get("state").IsTypedArray();
    Napi::Uint8Array state;
    if (saved) {
        state     = object.Get("state").As<Napi::Uint8Array>();
        job.state = State{ state.Data(), state.ByteLength() };
    }

    if (job.prompt.empty() || job.branches.empty()) throw to_js(env, "ERR_OPTION", "Expected at least one prompt token and one branch");
    check_ids(env, job.prompt, n_vocab);
    for (const Branch & branch : job.branches) {
        check_ids(env, branch.forced, n_vocab);
        if (branch.ends) check_ids(env, *branch.ends, n_vocab);
        for (const llama_logit_bias & bias : branch.sampler.logit_bias) check_ids(env, { bias.token }, n_vocab);
    }

    std::vector<int32_t> ids;
    const Thrown thrown = run_guarded([&] { ids = core.add(job); });
    if (thrown.code) throw to_js(env, thrown.code, thrown.message);
    if (saved) states[ids[0]] = Napi::Persistent(state);
    return pack(env, ids);
}

// After a step, which restores all there are. Their memory goes now and not when somebody collects it: it may be a gigabyte.
void Engine::let_go_of_states() {
    for (auto & [id, state] : states) {
        Napi::ArrayBuffer bytes = state.Value().ArrayBuffer();
        if (!bytes.IsDetached()) bytes.Detach();
    }
    states.clear();
}

void Engine::release(const Napi::CallbackInfo & info) {
    const int32_t id = info[0].As<Napi::Number>().Int32Value();
    core_now(info.Env()).release(id);
    states.erase(id);
}

void Engine::hold(const Napi::CallbackInfo & info) { core_now(info.Env()).hold(info[0].As<Napi::Number>().Int32Value()); }

static double microseconds(std::chrono::nanoseconds time) { return (double)time.count() / 1000; }

static Napi::Value pack_step(Napi::Env env, const Step & step) {
    auto out      = Napi::Object::New(env);
    auto failures = Napi::Array::New(env);
    for (size_t i = 0; i < step.failures.size(); i++) {
        const Failure & failure = step.failures[i];
        auto item               = Napi::Object::New(env);
        item.Set("seq", failure.seq);
        item.Set("code", failure.code);
        item.Set("message", failure.message);
        failures.Set((uint32_t)i, item);
    }
    out.Set("seq", pack(env, step.seq));
    out.Set("token", pack(env, step.token));
    out.Set("logprob", pack(env, step.logprob));
    out.Set("finish", pack(env, step.finish));
    out.Set("ends", pack(env, step.ends));
    out.Set("text", Napi::Buffer<char>::Copy(env, step.text.data(), step.text.size()));
    out.Set("topEnds", pack(env, step.top_ends));
    out.Set("topToken", pack(env, step.top_token));
    out.Set("topLogprob", pack(env, step.top_logprob));
    out.Set("promptSeq", pack(env, step.prompt_seq));
    out.Set("promptLeft", pack(env, step.prompt_left));
    out.Set("failures", failures);
    out.Set("threads", step.threads);
    out.Set("aborted", step.aborted);
    out.Set("steps", step.steps);
    out.Set("decode", microseconds(step.decode));
    out.Set("sampling", microseconds(step.sampling));
    out.Set("rest", microseconds(step.all - step.decode - step.sampling));
    return out;
}

Napi::Value Engine::save(const Napi::CallbackInfo & info) {
    core_now(info.Env());
    stepping         = true;
    const int32_t id = info[0].As<Napi::Number>().Int32Value();

    using Saved = std::vector<uint8_t>;
    return owner->run<Saved>([core = core, id] { return core->save(id); },
                             [](Napi::Env env, Saved & saved) {
                                 auto kept = std::make_unique<Saved>(std::move(saved));
                                 auto * at = kept.get();
                                 return Napi::Buffer<uint8_t>::NewOrCopy(
                                     env, at->data(), at->size(), [](Napi::Env, uint8_t *, Saved * done) { delete done; }, kept.release());
                             },
                             [this] { stepping = false; });
}

Napi::Value Engine::step(const Napi::CallbackInfo & info) {
    core_now(info.Env()).called = false;
    stepping                    = true;
    const auto budget           = std::chrono::nanoseconds((int64_t)(info[0].As<Napi::Number>().DoubleValue() * 1e6));

    return owner->run<Step>([core = core, budget] { return core->run(budget); },
                            [this](Napi::Env env, Step & step) {
                                let_go_of_states();
                                return pack_step(env, step);
                            },
                            [this] { stepping = false; });
}

void Engine::call(const Napi::CallbackInfo &) {
    if (core) core->called = true;
}

void Engine::abort(const Napi::CallbackInfo &) {
    if (core && stepping) core->abort = true;
}

// A running step is ended early; context and weights go on the owner's thread once nothing uses them any more.
Napi::Value Engine::close(const Napi::CallbackInfo &) {
    if (core && stepping) leave(*core);
    struct Last {
        SharedWeights weights; // declared first: freed last
        std::shared_ptr<Core> core;
    };
    auto last = std::make_shared<Last>(Last{ std::move(weights), std::move(core) });
    weights.reset();
    core.reset();
    return owner->close([last] {
        last->core.reset();
        last->weights.reset();
    });
}
