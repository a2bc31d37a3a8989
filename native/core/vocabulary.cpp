#include "vocabulary.h"

#include "error.h"

#include <algorithm>
#include <array>
#include <cstring>

static constexpr int SPECIAL = LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN | LLAMA_TOKEN_ATTR_USER_DEFINED;

static std::vector<llama_token> call_tokenize(const llama_vocab * vocab, const std::string & text) {
    std::vector<llama_token> tokens(text.size() + 8);
    int32_t n = llama_tokenize(vocab, text.data(), (int32_t)text.size(), tokens.data(), (int32_t)tokens.size(), false, false);
    if (n == INT32_MIN) throw CodedError("ERR_CONTEXT_FULL", "The text has more tokens than fit in 32 bits");
    if (n < 0) {
        tokens.resize(-n);
        n = llama_tokenize(vocab, text.data(), (int32_t)text.size(), tokens.data(), (int32_t)tokens.size(), false, false);
    }
    if (n < 0) throw CodedError("ERR_NATIVE", "llama.cpp could not tokenize the text");
    tokens.resize(n);
    return tokens;
}

static bool puts_space_before_runs(const llama_model * model, const llama_vocab * vocab) {
    char value[16];
    const int32_t n = llama_model_meta_val_str(model, "tokenizer.ggml.add_space_prefix", value, sizeof(value));
    return n > 0 ? std::string(value) == "true" : llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_SPM;
}

Vocabulary::Vocabulary(const llama_model * model)
    : vocab(llama_model_get_vocab(model)), space_prefix(puts_space_before_runs(model, vocab)) {
    static const std::array<std::string, 2> end_texts           = { "<EOD>", "<PAD>" };
    // As in src/vote/read/thinking.ts.
    static const std::unordered_set<std::string> thinking_texts = {
        "<think>",     "</think>",     "<thinking>", "</thinking>", "<thought>",        "</thought>",
        "<reasoning>", "</reasoning>", "[THINK]",    "[/THINK]",    "<|inner_prefix|>", "<|inner_suffix|>",
    };

    for (llama_token id = 0; id < llama_vocab_n_tokens(vocab); id++) {
        if (llama_vocab_is_eog(vocab, id)) ends.push_back(id);
        longest = std::max(longest, piece(id).size());
        if (!is_special(id)) continue;
        const std::string text = llama_vocab_get_text(vocab, id);
        if (text.empty()) continue;
        specials[(uint8_t)text[0]].push_back({ text, id });
        longest = std::max(longest, text.size()); // in a template one token stands for its own text
        if (thinking_texts.count(text) > 0 && piece(id).empty()) thinking.emplace(id, text);
        const bool ends_text = std::find(end_texts.begin(), end_texts.end(), text) != end_texts.end();
        if (ends_text && !llama_vocab_is_eog(vocab, id)) ends.push_back(id);
    }
    for (std::vector<Special> & same : specials)
        std::stable_sort(same.begin(), same.end(), [](const Special & a, const Special & b) { return a.text.size() > b.text.size(); });
    newline = call_tokenize(vocab, "\n");
}

static bool is_blank(const std::string & text) {
    for (size_t at = 0; at < text.size(); at += text.compare(at, 3, "\u2581") == 0 ? 3 : 1) {
        if (text.compare(at, 3, "\u2581") != 0 && !strchr(" \t\n\r", text[at])) return false;
    }
    return !text.empty();
}

// Gemma's vocabulary has runs of newlines and of spaces as user-defined tokens. They are text like any other.
bool Vocabulary::is_special(llama_token token) const {
    const int32_t kind = llama_vocab_get_attr(vocab, token) & SPECIAL;
    return kind == LLAMA_TOKEN_ATTR_USER_DEFINED ? !is_blank(llama_vocab_get_text(vocab, token)) : kind != 0;
}

// The unknown token does not count: it is how some vocabularies spell a character they do not have.
bool Vocabulary::any_special(const std::vector<llama_token> & tokens) const {
    return std::any_of(tokens.begin(), tokens.end(), [&](llama_token token) {
        return is_special(token) && !(llama_vocab_get_attr(vocab, token) & LLAMA_TOKEN_ATTR_UNKNOWN);
    });
}

static void append(std::vector<llama_token> & out, const std::vector<llama_token> & more) {
    out.insert(out.end(), more.begin(), more.end());
}

std::vector<llama_token> Vocabulary::tokenize(const std::vector<Segment> & segments, Bos bos, bool inside,
                                              const std::function<void()> & between) const {
    std::vector<llama_token> out;
    const llama_token bos_token = llama_vocab_bos(vocab);
    if (bos == Bos::ALWAYS && bos_token == LLAMA_TOKEN_NULL) {
        throw CodedError("ERR_OPTION",
                         "Expected `bos` to be \"auto\" or \"never\": this vocabulary has no token for the beginning of a text");
    }
    const bool add_bos = bos == Bos::ALWAYS || (bos == Bos::AUTO && llama_vocab_get_add_bos(vocab));
    if (add_bos && bos_token != LLAMA_TOKEN_NULL) out.push_back(bos_token);

    std::string run;
    const auto end_run = [&] {
        append(out, plain(run, inside, between));
        run.clear();
        inside = false; // what follows a special token begins a run
    };
    for (const Segment & segment : segments) {
        if (!segment.is_template) {
            run += segment.text;
            continue;
        }
        for (size_t at = 0; at < segment.text.size();) {
            const Special * special = special_at(segment.text, at);
            if (!special) {
                run += segment.text[at++];
                continue;
            }
            end_run();
            // a template may spell the beginning token that has just been added: exactly one is meant
            if (!(out.size() == 1 && add_bos && special->token == bos_token)) out.push_back(special->token);
            at += special->text.size();
        }
    }
    end_run();
    return out;
}

const Vocabulary::Special * Vocabulary::special_at(const std::string & text, size_t at) const {
    for (const Special & special : specials[(uint8_t)text[at]]) {
        if (text.compare(at, special.text.size(), special.text) == 0) return &special;
    }
    return nullptr;
}

bool Vocabulary::spells_user_defined(const std::string & text) const {
    for (size_t at = 0; at < text.size(); at++) {
        for (const Special & special : specials[(uint8_t)text[at]]) {
            if ((llama_vocab_get_attr(vocab, special.token) & SPECIAL) != LLAMA_TOKEN_ATTR_USER_DEFINED) continue;
            if (text.compare(at, special.text.size(), special.text) == 0) return true;
        }
    }
    return false;
}

// llama.cpp recognizes user-defined tokens even with special parsing off, and takes time quadratic in their number. Here they are
// cut in two inside, after their first character, and every part is tokenized on its own.
std::vector<llama_token> Vocabulary::plain(const std::string & text, bool inside, const std::function<void()> & between) const {
    std::vector<llama_token> tokens;
    if (!spells_user_defined(text)) {
        tokens = pieces_of(text, inside, between);
        if (!any_special(tokens)) return tokens;
    }

    std::vector<std::string> parts(1);
    for (size_t at = 0; at < text.size();) {
        const Special * special = special_at(text, at);
        if (!special) {
            parts.back() += text[at++];
            continue;
        }
        size_t first = 1; // do not cut a UTF-8 character
        while (first < special->text.size() && ((unsigned char)text[at + first] & 0xC0) == 0x80) first++;
        parts.back() += text.substr(at, first);
        parts.emplace_back();
        at += first;
    }

    tokens.clear();
    for (size_t i = 0; i < parts.size(); i++) append(tokens, pieces_of(parts[i], inside || i > 0, between));
    if (any_special(tokens)) {
        throw CodedError("ERR_NATIVE", "The tokenizer turned ordinary text into a special token; please report the model's vocabulary");
    }
    return tokens;
}

// llama.cpp tokenizes SentencePiece text in time quadratic in the characters that the vocabulary lacks, and cannot be interrupted.
// A long text is therefore given to it in pieces, which makes no difference: SentencePiece only ever joins what is a token when
// joined, so nothing joins across two characters that stand side by side in no token.
std::vector<llama_token> Vocabulary::pieces_of(const std::string & text, bool inside, const std::function<void()> & between) const {
    std::vector<llama_token> tokens;
    for (size_t at = 0; at < text.size();) {
        between();
        const size_t end = cut_after(text, at);
        append(tokens, part(at == 0 && end == text.size() ? text : text.substr(at, end - at), inside || at > 0));
        at = end;
    }
    return tokens;
}

static constexpr size_t PIECE = 4096; // bytes, from which a cut is looked for

// One UTF-8 character, a space being the character that SentencePiece writes for it.
static uint32_t char_at(const std::string & text, size_t at) {
    const uint8_t first = (uint8_t)text[at];
    if (first == ' ') return 0x2581;
    const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    uint32_t value    = size == 1 ? first : first & (0x7f >> size);
    for (size_t i = 1; i < size && at + i < text.size(); i++) value = value << 6 | ((uint8_t)text[at + i] & 0x3f);
    return value;
}

static size_t next_char(const std::string & text, size_t at) {
    at++;
    while (at < text.size() && ((uint8_t)text[at] & 0xc0) == 0x80) at++;
    return at;
}

static uint64_t pair_of(uint32_t first, uint32_t second) { return (uint64_t)first << 32 | second; }

const std::unordered_set<uint64_t> & Vocabulary::pairs() const {
    std::call_once(pairs_made, [this] {
        for (llama_token id = 0; id < llama_vocab_n_tokens(vocab); id++) {
            const std::string text = llama_vocab_get_text(vocab, id);
            for (size_t at = 0, next = 0; at < text.size(); at = next) {
                next = next_char(text, at);
                if (next < text.size()) all_pairs.insert(pair_of(char_at(text, at), char_at(text, next)));
            }
        }
    });
    return all_pairs;
}

// Where the piece that begins at `at` ends. Behind a cut a newline has to be as harmless: part() puts one there.
size_t Vocabulary::cut_after(const std::string & text, size_t at) const {
    if (text.size() - at <= 2 * PIECE || llama_vocab_type(vocab) != LLAMA_VOCAB_TYPE_SPM) return text.size();
    size_t before = at + PIECE;
    while (before > at && ((uint8_t)text[before] & 0xc0) == 0x80) before--;
    for (size_t next = next_char(text, before); next < text.size(); before = next, next = next_char(text, next)) {
        const uint32_t c = char_at(text, next);
        if (!pairs().count(pair_of(char_at(text, before), c)) && !pairs().count(pair_of('\n', c))) return next;
    }
    return text.size();
}

// SentencePiece puts a space before every text it is given. Text inside a run is therefore tokenized behind a newline, with
// which nothing merges, and what the newline became is taken off again.
std::vector<llama_token> Vocabulary::part(const std::string & text, bool inside) const {
    if (text.empty()) return {};
    if (!inside || !space_prefix) return call_tokenize(vocab, text);
    std::vector<llama_token> tokens = call_tokenize(vocab, "\n" + text);
    if (tokens.size() < newline.size() || !std::equal(newline.begin(), newline.end(), tokens.begin())) return call_tokenize(vocab, text);
    tokens.erase(tokens.begin(), tokens.begin() + newline.size());
    return tokens;
}

std::string Vocabulary::piece(llama_token token, int32_t lstrip) const {
    char small[128];
    const int32_t n = llama_token_to_piece(vocab, token, small, sizeof(small), lstrip, false);
    if (n >= 0) return { small, (size_t)n };
    std::string longer((size_t)-n, '\0');
    llama_token_to_piece(vocab, token, longer.data(), -n, lstrip, false);
    return longer;
}

std::string Vocabulary::written(llama_token token, int32_t lstrip) const {
    const auto mark = thinking.find(token);
    return mark == thinking.end() ? piece(token, lstrip) : mark->second;
}

std::string Vocabulary::spelling(llama_token token) const {
    check({ token });
    return is_special(token) ? llama_vocab_get_text(vocab, token) : piece(token);
}

const Pieces & Vocabulary::pieces() const {
    std::call_once(pieces_made, [this] {
        for (llama_token id = 0; id < llama_vocab_n_tokens(vocab); id++) all_pieces.add(id, piece(id));
        all_pieces.sort();
    });
    return all_pieces;
}

void Vocabulary::check(const std::vector<llama_token> & tokens) const {
    const int32_t n_vocab = llama_vocab_n_tokens(vocab);
    for (const llama_token token : tokens) {
        if (token < 0 || token >= n_vocab) {
            throw CodedError("ERR_OPTION",
                             "Expected token ids from 0 to " + std::to_string(n_vocab - 1) + ", got " + std::to_string(token));
        }
    }
}

std::string Vocabulary::detokenize(const std::vector<llama_token> & tokens, bool special) const {
    check(tokens);
    std::string text(tokens.size() * 8 + 16, '\0');
    int32_t n = llama_detokenize(vocab, tokens.data(), (int32_t)tokens.size(), text.data(), (int32_t)text.size(), false, special);
    if (n < 0) {
        text.resize(-n);
        n = llama_detokenize(vocab, tokens.data(), (int32_t)tokens.size(), text.data(), (int32_t)text.size(), false, special);
    }
    if (n < 0) throw CodedError("ERR_NATIVE", "llama.cpp could not turn the tokens into text");
    text.resize(n);
    return text;
}
