#include "cache.h"

#include <algorithm>
#include <cstring>

// Ids that llama.cpp knows in a unified cache, whatever n_seq_max is (LLAMA_MAX_SEQ): every sequence, every double, and one to save from.
static const uint32_t MOST_IDS = 256;

static int32_t window_of(const llama_model * model, uint32_t n_ctx) {
    const int32_t window = llama_model_n_swa(model);
    return window > 0 && (uint32_t)window <= n_ctx ? window : 0;
}

uint32_t Cache::n_seq_max(const llama_model * model, uint32_t n_ctx, uint32_t wanted) {
    const bool windowed = window_of(model, GGML_PAD(n_ctx, 256)) != 0; // as llama.cpp rounds it
    return windowed ? std::min(wanted, (MOST_IDS - 1) / 2) + 1 : wanted;
}

Cache::Cache(llama_context * ctx)
    : ctx(ctx), memory(llama_get_memory(ctx)), window(window_of(llama_get_model(ctx), llama_n_ctx(ctx))),
      n_seq((int32_t)llama_n_seq_max(ctx) - (window ? 1 : 0)) {}

void Cache::evaluated(int32_t id, int32_t from, int32_t to) {
    if (window) llama_memory_seq_cp(memory, id, double_of(id), from, to);
}

void Cache::copy(int32_t from, int32_t to, int32_t n) {
    if (n == 0) return;
    llama_memory_seq_cp(memory, from, to, 0, n);
    evaluated(to, 0, n);
}

void Cache::remove(int32_t id) {
    llama_memory_seq_rm(memory, id, -1, -1);
    if (window) llama_memory_seq_rm(memory, double_of(id), -1, -1);
}

void Cache::cut(int32_t id, int32_t n) { llama_memory_seq_rm(memory, id, n, -1); }

// The bytes of one piece, behind their number where there may be several.
static bool append_state(llama_context * ctx, int32_t id, bool counted, std::vector<uint8_t> & out) {
    const uint64_t size = llama_state_seq_get_size(ctx, id);
    const size_t at     = out.size() + (counted ? sizeof(size) : 0);
    out.resize(at + size);
    if (counted) std::memcpy(&out[at - sizeof(size)], &size, sizeof(size));
    return size > 0 && llama_state_seq_get_data(ctx, &out[at], size, id) == size;
}

std::vector<uint8_t> Cache::save(int32_t id, int32_t n) {
    std::vector<uint8_t> out;
    bool whole = true;
    if (!window) whole = append_state(ctx, id, false, out);
    for (int32_t from = 0; window && whole && from < n; from += window) {
        llama_memory_seq_cp(memory, id, spare(), from, std::min(n, from + window));
        whole = append_state(ctx, spare(), true, out);
        llama_memory_seq_rm(memory, spare(), -1, -1);
    }
    return whole ? out : std::vector<uint8_t>();
}

bool Cache::restore(int32_t id, const uint8_t * data, size_t size, int32_t n) {
    if (!window) return llama_state_seq_set_data(ctx, data, size, id) == size && llama_memory_seq_pos_max(memory, id) == n - 1;
    for (int32_t from = 0; from < n; from += window) {
        uint64_t piece = 0;
        if (size < sizeof(piece)) return false;
        std::memcpy(&piece, data, sizeof(piece));
        data += sizeof(piece);
        size -= sizeof(piece);
        if (piece > size) return false;
        const int32_t to = std::min(n, from + window);
        const bool fits  = llama_state_seq_set_data(ctx, data, piece, spare()) == piece &&
                          llama_memory_seq_pos_min(memory, spare()) == from && llama_memory_seq_pos_max(memory, spare()) == to - 1;
        if (fits) {
            llama_memory_seq_cp(memory, spare(), id, from, to);
            evaluated(id, from, to);
        }
        llama_memory_seq_rm(memory, spare(), -1, -1);
        if (!fits) return false;
        data += piece;
        size -= piece;
    }
    return size == 0;
}
