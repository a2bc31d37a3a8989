#pragma once

#include <napi.h>

// loadBackends(directory, files, hidden): loads the best CPU variant found in `directory`, and each of `files` (shared libraries of
// GPU backends), after setting the environment variables `hidden` to -1. Returns [{ path, loaded, message }], the CPU variant first. Once
// per process; later calls add nothing twice.
Napi::Value load_backends(const Napi::CallbackInfo & info);

// devices(): [{ name, description, backend, type, memoryFree, memoryTotal }] of everything that is loaded.
Napi::Value list_devices(const Napi::CallbackInfo & info);
