#pragma once

#include "core.h"
#include "owner.h"

#include <napi.h>

// gainsByRearranging({ names, shapes }): boolean
Napi::Value would_gain_by_rearranging(const Napi::CallbackInfo & info);

// The JS face of the weights and their vocabulary.
class Model : public Napi::ObjectWrap<Model> {
public:
    static Napi::Function init(Napi::Env env);

    explicit Model(const Napi::CallbackInfo & info);

    // Throws ERR_CLOSED before load() has resolved and after close().
    SharedWeights weights_now(Napi::Env env) const;

private:
    Napi::Value load(const Napi::CallbackInfo & info); // (params, onProgress): Promise<boolean>
    void cancel_load(const Napi::CallbackInfo & info);
    Napi::Value info(const Napi::CallbackInfo & info);       // (): object
    Napi::Value tokenize(const Napi::CallbackInfo & info);   // (texts, isTemplate, bos, inside): { tokens: Promise<Int32Array>, cancel() }
    Napi::Value detokenize(const Napi::CallbackInfo & info); // (tokens, special): Promise<string>
    Napi::Value spell(const Napi::CallbackInfo & info);      // (tokens): Promise<{ bytes, ends }>
    Napi::Value close(const Napi::CallbackInfo & info);      // (): Promise<void>

    SharedWeights weights; // engines hold their own reference: closing order does not matter
    std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
    std::shared_ptr<Napi::FunctionReference> progress_callback; // while loading
    std::unique_ptr<Owner> owner;
};
