// Any bytes as a grammar, and as what is said in it. In the form of libFuzzer, which calls LLVMFuzzerTestOneInput; driver.cpp calls it
// where there is none. Input: a grammar in GBNF; optionally a NUL and a byte for each token to choose.
#include "grammar.h"

#include "error.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

static const std::atomic<bool> staying{ false };

// All bytes, some pieces of several, parts of characters, a piece without bytes.
static const std::vector<std::string> & vocabulary() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> out;
        for (int byte = 0; byte < 256; byte++) out.push_back(std::string(1, (char)byte));
        for (const char * piece : { "", "a", "an", "and", "the", " the", "  ", "\n\n", "é", "\xc3", "\xa9 ", "€", "\xe2\x82", "\xf0\x9f",
                                    "😀", "{\"", "\": ", "0.", "root" }) {
            out.push_back(piece);
        }
        return out;
    }();
    return all;
}

static const Pieces & pieces() {
    static const Pieces sorted = [] {
        Pieces out;
        for (size_t id = 0; id < vocabulary().size(); id++) out.add((int32_t)id, vocabulary()[id]);
        out.sort();
        return out;
    }();
    return sorted;
}

static void promise(bool kept, const char * what) {
    if (kept) return;
    std::fprintf(stderr, "BROKEN: %s\n", what);
    std::abort();
}

// Follows the grammar by tokens, and by their bytes one by one beside it. With `names_tokens` the two may differ.
static void follow(const Grammar & grammar, bool names_tokens, const uint8_t * choices, size_t n_choices) {
    GrammarState state(grammar, staying);
    GrammarState byte_by_byte(grammar, staying);
    std::vector<char> marks(vocabulary().size());
    for (size_t i = 0; i < n_choices && i < 16; i++) {
        state.allowed(pieces(), marks);
        std::vector<int32_t> possible;
        for (size_t id = 0; id < marks.size(); id++) {
            promise(state.allows((int32_t)id, vocabulary()[id]) == (bool)marks[id], "a token may come if it is among those that may");
            if (marks[id]) possible.push_back((int32_t)id);
        }
        if (possible.empty()) return;
        const int32_t token       = possible[choices[i] % possible.size()];
        const std::string & bytes = vocabulary()[(size_t)token];
        state.accept(token, bytes);
        if (names_tokens) continue;
        for (const char byte : bytes) {
            promise(byte_by_byte.allows((uint8_t)byte, std::string(1, byte)), "the bytes of a token that may come may come alone");
            byte_by_byte.accept((uint8_t)byte, std::string(1, byte));
        }
        promise(state.complete() == byte_by_byte.complete(), "a text may end whether it came in tokens or in bytes");
    }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size) {
    const std::string all((const char *)data, size);
    const size_t end       = all.find('\0');
    const std::string text = all.substr(0, end);
    const size_t at        = end == std::string::npos ? 0 : end + 1; // without choices the text is its own
    const Thrown thrown    = run_guarded([&] {
        const Grammar grammar(text, (int32_t)vocabulary().size());
        promise(grammar.text() == text, "a grammar keeps its text");
        follow(grammar, text.find("<[") != std::string::npos, data + at, size - at);
    });
    promise(!thrown.code || thrown.code == std::string("ERR_GRAMMAR"), "a grammar is followed or refused");
    promise(thrown.message.size() < 200, "a message does not repeat the grammar");
    return 0;
}
