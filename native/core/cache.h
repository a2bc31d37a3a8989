#pragma once

#include <llama-cpp.h>

#include <cstdint>
#include <vector>

// The sequences of a context's KV cache, each there from its first token to its last.
//
// Layers with a sliding window see the last tokens of a sequence only, and of the others llama.cpp keeps nothing: it writes over a cell
// that the next token of its one sequence would not see, and leaves it out of what it saves. A job may start anywhere in a held sequence,
// though, and would compute with what is left. Cells of two sequences are not written over, so each sequence here has a double, which
// nothing decodes; and what is longer than the window is saved in pieces as long as it.
class Cache {
public:
    // What n_seq_max of a context of so many cells has to be where so many sequences are wanted; there may be room for fewer.
    static uint32_t n_seq_max(const llama_model * model, uint32_t n_ctx, uint32_t wanted);

    Cache() = default;
    explicit Cache(llama_context * ctx);

    // Their ids are below this.
    int32_t n_sequences() const { return n_seq; }

    // The next tokens of a sequence, `from` … `to` - 1, have been evaluated.
    void evaluated(int32_t id, int32_t from, int32_t to);

    // A sequence without any becomes the first `n` tokens of another.
    void copy(int32_t from, int32_t to, int32_t n);

    void remove(int32_t id);

    // Takes back what has not been reported to evaluated(), behind the first `n` tokens.
    void cut(int32_t id, int32_t n);

    // What is there for the `n` tokens of a sequence. Empty if llama.cpp cannot tell.
    std::vector<uint8_t> save(int32_t id, int32_t n);

    // The same for a sequence without any. False if it is not of `n` tokens or llama.cpp refuses it; then some may be there.
    bool restore(int32_t id, const uint8_t * data, size_t size, int32_t n);

private:
    llama_context * ctx   = nullptr;
    llama_memory_t memory = nullptr;
    int32_t window        = 0; // tokens that a layer sees at least, where some of a sequence may be out of sight; else 0
    int32_t n_seq         = 0;

    // llama.cpp saves sequences below n_seq_max only: of those that are added this one comes first.
    int32_t spare() const { return n_seq; }
    int32_t double_of(int32_t id) const { return n_seq + 1 + id; }
};
