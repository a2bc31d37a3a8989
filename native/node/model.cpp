#include "model.h"

#include "arguments.h"
#include "load.h"

#include <chrono>

// Told from the loading thread, at most some thirty times a second.
struct Report {
    std::shared_ptr<std::atomic<bool>> cancelled;
    std::function<void(float)> report; // may be empty
    std::chrono::steady_clock::time_point last{};

    bool operator()(float fraction) {
        if (cancelled->load()) return false;
        const auto now = std::chrono::steady_clock::now();
        if (report && (fraction >= 1.0f || now - last > std::chrono::milliseconds(33))) {
            last = now;
            report(fraction);
        }
        return true;
    }
};

Napi::Function Model::init(Napi::Env env) {
    return DefineClass(env, "Model",
                       {
                           InstanceMethod<&Model::load>("load"),
                           InstanceMethod<&Model::cancel_load>("cancelLoad"),
                           InstanceMethod<&Model::info>("info"),
                           InstanceMethod<&Model::tokenize>("tokenize"),
                           InstanceMethod<&Model::detokenize>("detokenize"),
                           InstanceMethod<&Model::spell>("spell"),
                           InstanceMethod<&Model::close>("close"),
                       });
}

Model::Model(const Napi::CallbackInfo & info) : Napi::ObjectWrap<Model>(info) {
    owner = std::make_unique<Owner>(
        info.Env(), "meditron.model", [cancelled = cancelled] { *cancelled = true; },
        [this](bool busy) { busy ? (void)Ref() : (void)Unref(); });
}

static std::vector<Tensor> tensors_of(const Napi::Object & object) {
    const auto names  = object.Get("names").As<Napi::Array>();
    const auto shapes = object.Get("shapes").As<Napi::Float64Array>();
    std::vector<Tensor> tensors;
    for (uint32_t i = 0; i < names.Length() && 3 * i + 2 < shapes.ElementLength(); i++) {
        tensors.push_back(
            { names.Get(i).As<Napi::String>(), (ggml_type)(int)shapes[3 * i], (int64_t)shapes[3 * i + 1], (int64_t)shapes[3 * i + 2] });
    }
    return tensors;
}

Napi::Value would_gain_by_rearranging(const Napi::CallbackInfo & info) {
    const auto tensors  = tensors_of(info[0].As<Napi::Object>());
    bool gains          = false;
    const Thrown thrown = run_guarded([&] { gains = gains_by_rearranging(tensors); });
    if (thrown.code) throw to_js(info.Env(), thrown.code, thrown.message);
    return Napi::Boolean::New(info.Env(), gains);
}

SharedWeights Model::weights_now(Napi::Env env) const {
    if (!weights) throw to_js(env, "ERR_CLOSED", "The model is closed");
    return weights;
}

Napi::Value Model::load(const Napi::CallbackInfo & info) {
    const auto object = info[0].As<Napi::Object>();
    const auto list   = object.Get("paths").As<Napi::Array>();
    LoadParams params;
    for (uint32_t i = 0; i < list.Length(); i++) params.paths.push_back(list.Get(i).As<Napi::String>());
    const auto devices = object.Get("devices").As<Napi::Array>();
    for (uint32_t i = 0; i < devices.Length(); i++) params.devices.push_back(devices.Get(i).As<Napi::String>());
    params.gpu_layers = (int32_t)number_of(object, "gpuLayers");
    params.mmap       = flag_of(object, "mmap");
    params.repack     = flag_of(object, "repack");
    params.mlock      = flag_of(object, "mlock");
    params.whole      = flag_of(object, "whole");
    if (const auto given = object.Get("tensors"); given.IsObject()) params.tensors = tensors_of(given.As<Napi::Object>());

    Report progress{ cancelled, nullptr };
    if (info[1].IsFunction()) {
        // If a post is dropped, `progress_callback` holds the last reference and frees it on the JS thread.
        auto callback     = std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[1].As<Napi::Function>()));
        progress_callback = callback;
        std::weak_ptr<Napi::FunctionReference> weak = callback;
        progress.report                             = [this, weak](float fraction) {
            owner->post([weak, fraction](Napi::Env env) {
                const auto live = weak.lock();
                if (live) live->Call({ Napi::Number::New(env, fraction) });
            });
        };
    }

    return owner->run<Loaded>([params, progress] { return load_weights(params, progress); },
                              [this](Napi::Env env, Loaded & loaded) -> Napi::Value {
                                  weights = std::move(loaded.weights);
                                  progress_callback.reset();
                                  return Napi::Boolean::New(env, loaded.straight);
                              });
}

void Model::cancel_load(const Napi::CallbackInfo &) { *cancelled = true; }

static Napi::Value token_or_null(Napi::Env env, llama_token token) {
    return token == LLAMA_TOKEN_NULL ? env.Null() : Napi::Value(Napi::Number::New(env, token));
}

Napi::Value Model::info(const Napi::CallbackInfo & info) {
    const Napi::Env env       = info.Env();
    const SharedWeights held  = weights_now(env);
    const llama_model * model = held->model.get();
    const llama_vocab * vocab = held->vocabulary.raw();

    char description[128];
    llama_model_desc(model, description, sizeof(description));
    const char * chat_template = llama_model_chat_template(model, nullptr);

    std::vector<int32_t> specials;
    for (llama_token id = 0; id < llama_vocab_n_tokens(vocab); id++) {
        if (held->vocabulary.is_special(id)) specials.push_back(id);
    }

    auto out = Napi::Object::New(env);
    out.Set("description", description);
    out.Set("sizeBytes", (double)llama_model_size(model));
    out.Set("parameters", (double)llama_model_n_params(model));
    out.Set("layers", llama_model_n_layer(model));
    out.Set("embedding", llama_model_n_embd(model));
    out.Set("heads", llama_model_n_head(model));
    out.Set("kvHeads", llama_model_n_head_kv(model));
    out.Set("trainContext", llama_model_n_ctx_train(model));
    out.Set("vocabularySize", llama_vocab_n_tokens(vocab));
    out.Set("bos", token_or_null(env, llama_vocab_bos(vocab)));
    out.Set("eos", token_or_null(env, llama_vocab_eos(vocab)));
    out.Set("addBos", llama_vocab_get_add_bos(vocab));
    out.Set("longestPiece", (double)held->vocabulary.longest_piece());
    out.Set("ends", pack(env, held->vocabulary.end_tokens()));
    out.Set("specials", pack(env, specials));
    out.Set("chatTemplate", chat_template ? Napi::Value(Napi::String::New(env, chat_template)) : env.Null());
    return out;
}

Napi::Value Model::tokenize(const Napi::CallbackInfo & info) {
    const SharedWeights held = weights_now(info.Env());
    const auto texts         = info[0].As<Napi::Array>();
    const auto templates     = info[1].As<Napi::Array>();
    const auto bos           = (Bos)info[2].As<Napi::Number>().Int32Value();
    const bool inside        = info[3].As<Napi::Boolean>();

    std::vector<Segment> segments;
    for (uint32_t i = 0; i < texts.Length(); i++) {
        segments.push_back({ texts.Get(i).As<Napi::String>(), templates.Get(i).As<Napi::Boolean>() });
    }
    auto stop          = std::make_shared<std::atomic<bool>>(false);
    const auto between = [stop, closed = cancelled] {
        if (*stop) throw CodedError("ERR_ABORTED", "Tokenizing was cancelled");
        if (*closed) throw CodedError("ERR_CLOSED", "The model is closed");
    };
    auto out = Napi::Object::New(info.Env());
    out.Set("tokens", owner->run<std::vector<llama_token>>(
                          [held, segments, bos, inside, between] { return held->vocabulary.tokenize(segments, bos, inside, between); },
                          [](Napi::Env env, std::vector<llama_token> & tokens) { return pack(env, tokens); }));
    out.Set("cancel", Napi::Function::New(info.Env(), [stop](const Napi::CallbackInfo &) { *stop = true; }));
    return out;
}

Napi::Value Model::detokenize(const Napi::CallbackInfo & info) {
    const SharedWeights held = weights_now(info.Env());
    const bool special       = info[1].As<Napi::Boolean>();
    return owner->run<std::string>(
        [held, tokens = ids_of(info[0]), special] { return held->vocabulary.detokenize(tokens, special); },
        [](Napi::Env env, std::string & text) -> Napi::Value { return Napi::Buffer<char>::Copy(env, text.data(), text.size()); });
}

Napi::Value Model::spell(const Napi::CallbackInfo & info) {
    const SharedWeights held = weights_now(info.Env());
    struct Spelt {
        std::string bytes;
        std::vector<uint32_t> ends;
    };
    return owner->run<Spelt>(
        [held, tokens = ids_of(info[0])] {
            Spelt out;
            for (const llama_token token : tokens) {
                out.bytes += held->vocabulary.spelling(token);
                out.ends.push_back((uint32_t)out.bytes.size());
            }
            return out;
        },
        [](Napi::Env env, Spelt & spelt) -> Napi::Value {
            auto object = Napi::Object::New(env);
            object.Set("bytes", Napi::Buffer<char>::Copy(env, spelt.bytes.data(), spelt.bytes.size()));
            object.Set("ends", pack(env, spelt.ends));
            return object;
        });
}

// What runs on the owner keeps its own reference, so the weights go when the last user has finished.
Napi::Value Model::close(const Napi::CallbackInfo &) {
    *cancelled = true;
    auto last  = std::make_shared<SharedWeights>(std::move(weights));
    weights.reset();
    return owner->close([last] { last->reset(); });
}
