#include "load.h"

#include "ahead.h"
#include "kernels.h"
#include "layouts.h"
#include "log.h"
#include "pages.h"

#include <ggml-backend.h>
#include <ggml-cpp.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <tuple>

#ifdef __GLIBC__
#    include <malloc.h>
#endif

namespace {

struct Loading {
    const LoadProgress & progress;
    bool cancelled = false;

    MemoryAhead * memory = nullptr; // of the weights, once it is taken

    // Of weights that are rearranged straight from their pages.
    const FilePages * pages = nullptr;
    ReadAhead * file        = nullptr;
    size_t files            = 0; // how many mappings of ours there have to be; fewer or more: it is left
    float next              = 0; // how far it has to be for pages to be let go

    bool go_on(float fraction);
};

} // namespace

// Bytes of a file that may be in memory twice for a moment, and that are to be on their way before they are needed.
static constexpr float WINDOW        = 128e6f;
// Bytes of a file after which it is told how far reading is.
static constexpr double READ_AT_ONCE = 32e6;
// The part of loading that it is.
static constexpr float READING       = 0.9f;

bool Loading::go_on(float fraction) {
    if (!progress(fraction)) {
        cancelled = true;
        return false;
    }
    if (memory && fraction < 1.0f) {
        memory->begin();
        memory = nullptr;
    }
    if (!pages || fraction >= 1.0f) return true;
    const float size = (float)pages->size();
    if (next == 0 && pages->mapped() != files) return false;
    // Most files have their tensors in the order in which they are loaded.
    file->wait_for((uint64_t)(fraction * size + WINDOW));
    if (fraction >= next) {
        pages->let_go(); // all: one kind of memory after the other is filled, so that weights come from the whole file more than once
        next = fraction + WINDOW / size;
    }
    return true;
}

static bool on_progress(float fraction, void * loading) { return static_cast<Loading *>(loading)->go_on(fraction); }

// Plain memory that llama.cpp does not take for the place of tensors that stay in the file: it copies them.
static ggml_backend_buffer_type_t plain_memory() {
    alignas(64) static char none[64];
    ggml_backend_buffer_ptr buffer(ggml_backend_cpu_buffer_from_ptr(none, sizeof(none)));
    return ggml_backend_buffer_get_type(buffer.get());
}

static llama_model_ptr load(const LoadParams & params, llama_model_params mparams, Loading & loading) {
    mparams.progress_callback           = on_progress;
    mparams.progress_callback_user_data = &loading;
    std::vector<const char *> paths;
    for (const std::string & path : params.paths) paths.push_back(path.c_str());
    llama_model_ptr model(paths.size() == 1 ? llama_model_load_from_file(paths[0], mparams)
                                            : llama_model_load_from_splits(paths.data(), paths.size(), mparams));
    if (loading.cancelled) throw CodedError("ERR_ABORTED", "Loading the model was cancelled");
    return model;
}

// A regular expression for the name, in all layers or in its own alone.
static std::string pattern_of(const std::string & name, bool all_layers) {
    std::string out;
    size_t from = 0;
    if (all_layers && name.rfind("blk.", 0) == 0) {
        out  = "blk\\.[0-9]+";
        from = std::min(name.find_first_not_of("0123456789", 4), name.size());
    }
    for (size_t i = from; i < name.size(); i++) {
        if (!std::isalnum((unsigned char)name[i]) && name[i] != '_') out += '\\';
        out += name[i];
    }
    return out;
}

static bool is_table(const std::string & name) { return name == "token_embd.weight"; } // rows of it are taken

bool gains_by_rearranging(const std::vector<Tensor> & tensors) {
    std::map<std::tuple<ggml_type, int64_t, int64_t>, bool> kinds;
    const bool tied = std::none_of(tensors.begin(), tensors.end(), [](const Tensor & tensor) { return tensor.name == "output.weight"; });
    return std::any_of(tensors.begin(), tensors.end(), [&](const Tensor & tensor) {
        const auto & [name, type, columns, rows] = tensor;
        if (rows == 1 || (is_table(name) && !tied)) return false;
        const auto [kind, added] = kinds.try_emplace({ type, columns, rows }, false);
        if (added) kind->second = !as_fast_unarranged(type, columns, rows);
        return kind->second;
    });
}

// A pattern for the tensors that the CPU's kernels take as they are; empty where these are all, or where a matrix is used in two ways.
// llama.cpp makes a regular expression of it once for every tensor: it is short.
static std::string as_they_are(const std::vector<Tensor> & tensors) {
    std::map<std::tuple<ggml_type, int64_t, int64_t>, bool> kinds;
    std::map<std::string, std::vector<const Tensor *>> patterns[2]; // of those that are rearranged, and those that are not
    bool output = false;
    for (const Tensor & tensor : tensors) {
        const auto & [name, type, columns, rows] = tensor;
        output                                   = output || name == "output.weight";
        bool plain                               = rows == 1 || is_table(name);
        if (!plain) {
            const auto [kind, added] = kinds.try_emplace({ type, columns, rows }, false);
            if (added) kind->second = rearranging_memory(type, columns, rows) != nullptr;
            plain = !kind->second;
        }
        patterns[plain][pattern_of(name, true)].push_back(&tensor);
    }
    if (!output || patterns[0].empty()) return ""; // without an output matrix the table is multiplied with, too
    std::string out;
    for (const auto & [pattern, found] : patterns[1]) {
        if (patterns[0].count(pattern) == 0) {
            out += '|' + pattern;
        } else {
            for (const Tensor * tensor : found) out += '|' + pattern_of(tensor->name, false);
        }
    }
    return "^(" + out.substr(std::min<size_t>(1, out.size())) + ")$";
}

static uint64_t bytes_of(const std::vector<Tensor> & tensors) {
    uint64_t sum = 0;
    for (const auto & [name, type, columns, rows] : tensors) sum += ggml_row_size(type, columns) * (uint64_t)rows;
    return sum;
}

// llama.cpp reads a tensor into memory of its own and rearranges it from there. Instead the file is mapped and they are rearranged from its
// pages, which are let go as that goes on, so that nothing stays in the file. Null where it is not so simple: then weights are read.
static llama_model_ptr load_straight(const LoadParams & params, llama_model_params mparams, const LoadProgress & progress) {
    if (params.tensors.empty() || params.mmap || !params.repack || params.mlock || !params.devices.empty()) return nullptr;
    const FilePages pages(params.paths);
    if (pages.size() == 0) return nullptr;
    const std::string plain = as_they_are(params.tensors);
    if (plain.empty()) return nullptr;

    const llama_model_tensor_buft_override overrides[] = { { plain.c_str(), plain_memory() }, { nullptr, nullptr } };
    mparams.tensor_buft_overrides                      = overrides;
    mparams.load_mode                                  = LLAMA_LOAD_MODE_MMAP;

    const LogCapture log; // what fails here is tried again
    const size_t before = pages.mapped();
    ReadAhead ahead(params.paths);
    MemoryAhead memory(bytes_of(params.tensors));
    Loading loading{ progress };
    loading.memory        = &memory;
    loading.pages         = &pages;
    loading.file          = &ahead;
    loading.files         = before + params.paths.size();
    llama_model_ptr model = load(params, mparams, loading);
    if (pages.mapped() != before) model.reset(); // a tensor is used where it is in the file
    return model;
}

// Reads the files into the system's memory, so that nobody has to wait for the disk once their weights are used. That is nearly all of
// loading then. How far loading is.
static float read_whole(const LoadParams & params, const LoadProgress & progress) {
    ReadAhead ahead(params.paths);
    const auto size = (double)FilePages(params.paths).size();
    for (double at = 0; at < size; at += READ_AT_ONCE) {
        if (!progress(READING * (float)(at / size))) throw CodedError("ERR_ABORTED", "Loading the model was cancelled");
        ahead.wait_for((uint64_t)std::min(size, at + READ_AT_ONCE));
    }
    return size > 0 ? READING : 0.0f;
}

Loaded load_weights(const LoadParams & params, const LoadProgress & told) {
    const float done            = params.mmap && params.whole ? read_whole(params, told) : 0.0f;
    const LoadProgress progress = [&](float fraction) { return told(done + (1 - done) * fraction); };
    std::vector<ggml_backend_dev_t> devices;
    for (const std::string & name : params.devices) {
        devices.push_back(ggml_backend_dev_by_name(name.c_str()));
        if (!devices.back()) throw CodedError("ERR_NATIVE", "There is no device " + name);
    }
    devices.push_back(nullptr); // llama.cpp's end of the list

    llama_model_params mparams = llama_model_default_params();
    mparams.n_gpu_layers       = params.gpu_layers;
    mparams.devices            = devices.data();
    mparams.load_mode          = params.mmap ? (params.mlock ? LLAMA_LOAD_MODE_MMAP_MLOCK : LLAMA_LOAD_MODE_MMAP)
                                             : (params.mlock ? LLAMA_LOAD_MODE_MLOCK : LLAMA_LOAD_MODE_NONE);
    mparams.use_extra_bufts    = params.repack;

    llama_model_ptr model = load_straight(params, mparams, progress);
    const bool straight   = model != nullptr;
    if (!model) {
        LogCapture log;
        Loading loading{ progress };
        // llama.cpp waits for the disk with each tensor, and lets it rest while it rearranges one.
        std::optional<ReadAhead> ahead;
        std::optional<MemoryAhead> memory;
        if (!params.mmap) {
            ahead.emplace(params.paths);
            if (params.devices.empty() && !params.tensors.empty()) loading.memory = &memory.emplace(bytes_of(params.tensors));
        }
        model = load(params, mparams, loading);
        if (!model)
            throw CodedError("ERR_MODEL_LOAD",
                             "llama.cpp could not load " + params.paths[0] + (log.errors().empty() ? "" : ": " + log.errors()));
    }
    if (!llama_model_has_decoder(model.get()) || llama_model_has_encoder(model.get())) {
        throw CodedError("ERR_MODEL_UNSUPPORTED",
                         "Expected a model that generates text from left to right, " + params.paths[0] + " is of another kind");
    }
    auto weights = std::make_shared<Weights>(std::move(model));
#ifdef __GLIBC__
    malloc_trim(0); // what reading took goes back to the system: on 8 GB every hundred megabytes count
#endif
    return { weights, straight };
}
