#pragma once

#include "core.h"
#include "owner.h"

#include <napi.h>

#include <map>

// The JS face of Core. Every method checks `open and not stepping` once, in core_now().
class Engine : public Napi::ObjectWrap<Engine> {
public:
    static Napi::Function init(Napi::Env env);

    explicit Engine(const Napi::CallbackInfo & info); // (model)

private:
    Napi::Value open(const Napi::CallbackInfo & info);  // (params): Promise<{ contextSize, batchSize, maxSequences }>
    Napi::Value add(const Napi::CallbackInfo & info);   // (job): Int32Array
    void release(const Napi::CallbackInfo & info);      // (sequence)
    void hold(const Napi::CallbackInfo & info);         // (sequence)
    Napi::Value save(const Napi::CallbackInfo & info);  // (sequence): Promise<Buffer>
    Napi::Value step(const Napi::CallbackInfo & info);  // (milliseconds): Promise<step>
    void call(const Napi::CallbackInfo & info);         // has the steps that run return after the one that does
    void abort(const Napi::CallbackInfo & info);        // ends the running step early
    Napi::Value close(const Napi::CallbackInfo & info); // (): Promise<void>

    Core & core_now(Napi::Env env) const;
    void let_go_of_states();

    SharedWeights weights;      // null once closed
    std::shared_ptr<Core> core; // a running step holds a second reference
    bool stepping = false;
    std::map<int32_t, Napi::Reference<Napi::Uint8Array>> states; // saved states that are to be restored, by sequence
    std::unique_ptr<Owner> owner;
};
