#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

// A GBNF grammar, in the notation of llama.cpp's grammars/README.md, compiled to bytes. llama.cpp's own reader and matcher are not
// used: they loop on left recursion behind parts that may be empty, keep as many stacks as an ambiguous grammar asks for, cannot be
// interrupted, and print a malformed grammar on the error stream. Immutable; any thread.
class Grammar {
public:
    // Throws ERR_GRAMMAR, with line and column, for a text that is malformed, left-recursive or beyond the limits.
    // `n_vocab` bounds the token ids that it may name.
    Grammar(std::string text, int32_t n_vocab);

    const std::string & text() const { return source; }

private:
    friend class GrammarReader;
    friend class GrammarState;

    enum Kind : int32_t { BYTES, TOKEN, NOT_TOKEN, RULE };

    // What has to come, and then `next`, or -1 at the end of an alternative. Equal elements with equal ends are one.
    struct Element {
        Kind kind;
        int32_t value; // a set of bytes, a token, or a rule
        int32_t next;
    };

    std::string source;
    std::vector<std::bitset<256>> sets;
    std::vector<Element> elements;
    std::vector<std::vector<int32_t>> rules; // alternatives: an element, or -1 for nothing
    int32_t root = -1;
};

// The pieces of a vocabulary in the order of their bytes, so that common beginnings are matched once.
class Pieces {
public:
    void add(int32_t token, const std::string & bytes);
    void sort();

private:
    friend class GrammarState;

    struct Piece {
        std::string bytes;
        int32_t token;
        uint32_t shared = 0; // bytes in common with the piece before
    };

    std::vector<Piece> pieces;
};

// Where one sample is in a grammar: all stacks of elements that may come next. Sets of stacks are numbered and their successors
// remembered, so most bytes cost one look-up. The work of one call is bounded; beyond that it throws ERR_GRAMMAR, and
// ERR_CLOSED once `leaving` is set. One thread at a time.
class GrammarState {
public:
    GrammarState(const Grammar & grammar, const std::atomic<bool> & leaving);

    // Whether the text may end here.
    bool complete() const;

    bool allows(int32_t token, const std::string & bytes);

    // Marks the tokens that may follow. Those whose piece is empty may not, unless the grammar names them.
    void allowed(const Pieces & pieces, std::vector<char> & marks);

    // Moves on. The token has to be allowed.
    void accept(int32_t token, const std::string & bytes);

private:
    // A stack: an element and the stack below it. Equal stacks have one number; -1 is the empty one.
    struct Stack {
        int32_t element;
        int32_t below;
    };

    static constexpr int32_t UNKNOWN = -1, DEAD = 0;

    struct Node {
        std::vector<int32_t> stacks; // ascending
        bool has_tokens;
        std::array<int32_t, 256> after;
    };

    int32_t stack(int32_t element, int32_t below);
    int32_t rest_of(int32_t stack);
    int32_t node_of(std::vector<int32_t> stacks);
    int32_t after(int32_t node, uint8_t byte);
    int32_t after_token(int32_t node, int32_t token, const std::string & bytes);
    void spend(uint32_t units);
    void forget();

    const Grammar & grammar;
    const std::atomic<bool> & leaving;
    std::vector<Stack> stacks;
    std::unordered_map<uint64_t, int32_t> stack_numbers;
    std::vector<Node> nodes;
    std::unordered_map<std::string, int32_t> node_numbers; // by the bytes of `stacks`
    int32_t now   = DEAD;
    uint32_t work = 0;
};
