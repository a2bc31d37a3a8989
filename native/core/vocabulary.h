#pragma once

#include "grammar.h"

#include <llama-cpp.h>

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// A run of prompt text. Only template text may yield special tokens.
struct Segment {
    std::string text;
    bool is_template;
};

enum class Bos : int32_t { AUTO = 0, ALWAYS = 1, NEVER = 2 };

// Text to tokens and back. Some tokenizers recurse once per character: call it on the owner thread, which has a large stack.
class Vocabulary {
public:
    explicit Vocabulary(const llama_model * model);

    // Special tokens are taken from template segments only, as literals. What lies between two of them is one run of
    // plain text, whichever segments it came from, because a tokenizer sees other pieces when a run is cut in two.
    // Special text outside template segments is tokenized as the ordinary characters it is made of.
    // `inside`: the text continues a run that has begun before, so it does not get the space that begins a run.
    // `between` is called between two pieces of a long text and may throw.
    std::vector<llama_token> tokenize(
        const std::vector<Segment> & segments, Bos bos, bool inside, const std::function<void()> & between = [] {}) const;

    // Most bytes of text that one token stands for.
    size_t longest_piece() const { return longest; }

    // `special`: show special tokens as their text instead of leaving them out.
    std::string detokenize(const std::vector<llama_token> & tokens, bool special) const;

    // Tokens that end a text: those llama.cpp says, and `<EOD>`, which closes every document that MEDITRON was trained on,
    // while the published configuration names `</s>` (epfLLM/Megatron-LLM, preprocessing with --append_eod).
    const std::vector<llama_token> & end_tokens() const { return ends; }

    // The bytes that a token stands for; none for control tokens. `lstrip`: leading spaces to leave out.
    std::string piece(llama_token token, int32_t lstrip = 0) const;

    // What a token writes in a generated text: its bytes. The control tokens between which a model thinks write their names, because what
    // stands between them is no answer.
    std::string written(llama_token token, int32_t lstrip = 0) const;

    // What a token is shown as: its bytes, or of a special token its name.
    std::string spelling(llama_token token) const;

    // All pieces, for grammars. Made at the first call; any thread.
    const Pieces & pieces() const;

    const llama_vocab * raw() const { return vocab; }

    bool is_special(llama_token token) const;

    // SentencePiece writes a space before every run of text. What is generated right after a special token begins such
    // a run, so its first space is the tokenizer's, not the text's.
    bool has_space_prefix() const { return space_prefix; }

private:
    struct Special {
        std::string text;
        llama_token token;
    };

    void check(const std::vector<llama_token> & tokens) const;
    const Special * special_at(const std::string & text, size_t at) const;
    bool spells_user_defined(const std::string & text) const;
    std::vector<llama_token> plain(const std::string & text, bool inside, const std::function<void()> & between) const;
    std::vector<llama_token> pieces_of(const std::string & text, bool inside, const std::function<void()> & between) const;
    size_t cut_after(const std::string & text, size_t at) const;
    std::vector<llama_token> part(const std::string & text, bool inside) const;
    const std::unordered_set<uint64_t> & pairs() const;
    bool any_special(const std::vector<llama_token> & tokens) const;

    const llama_vocab * vocab;
    bool space_prefix;
    std::array<std::vector<Special>, 256> specials; // by their first byte; longest first
    size_t longest = 4;                             // a character that the vocabulary lacks may be one token
    mutable std::once_flag pairs_made;
    mutable std::unordered_set<uint64_t> all_pairs; // of characters that stand side by side in some token
    std::vector<llama_token> ends;
    std::unordered_map<llama_token, std::string> thinking;
    mutable std::once_flag pieces_made;
    mutable Pieces all_pieces;
    std::vector<llama_token> newline; // how the tokenizer begins a run that starts with a newline
};
