// Random small grammars: the tokens that may follow are those that llama.cpp's matcher allows, and nothing takes long.
#include "grammar.h"

#include "check.h"
#include "error.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <random>

static std::atomic<bool> staying{ false };

// --- grammars at random -------------------------------------------------------------------------------------------------

class Writer {
public:
    explicit Writer(uint32_t seed) : random(seed) {}

    std::string grammar() {
        rules = 1 + below(4);
        std::string out;
        for (int rule = 0; rule < rules; rule++) out += name(rule) + " ::= " + alternatives(0) + "\n";
        return out;
    }

    uint32_t below(uint32_t n) { return random() % n; }

private:
    static std::string name(int rule) { return rule == 0 ? "root" : std::string("r").append(std::to_string(rule)); }

    std::string alternatives(int depth) {
        std::string out = sequence(depth);
        for (uint32_t more = below(3); more > 0; more--) out += " | " + sequence(depth);
        return out;
    }

    std::string sequence(int depth) {
        static const char * const repetitions[] = { "", "", "", "", "?", "*", "+", "{2}", "{1,2}", "{0,1}", "{1,}" };
        std::string out;
        for (uint32_t parts = below(4); parts > 0; parts--) out += item(depth) + repetitions[below(11)] + " ";
        return out;
    }

    std::string item(int depth) {
        static const char * const literals[] = { "\"a\"", "\"an\"", "\" the\"", "\"e\"", "\"n \"", "\"é\"", "\"\\n\"", "\"€\"" };
        static const char * const classes[]  = { "[a-z]", "[^a]", "[aeiou ]", ".", "[^\"]", "[à-ÿ]", "[0-9]", "[^a-zé]" };
        const uint32_t choice                = below(depth < 2 ? 10 : 8);
        if (choice < 4) return literals[below(8)];
        if (choice < 6) return classes[below(8)];
        if (choice < 8) return name((int)below((uint32_t)rules));
        return "(" + alternatives(depth + 1) + ")";
    }

    std::mt19937 random;
    int rules = 1;
};

// --- against llama.cpp --------------------------------------------------------------------------------------------------

static std::vector<char> allowed_by_llama(llama_sampler * sampler, const Vocabulary & vocabulary) {
    const int32_t n = llama_vocab_n_tokens(vocabulary.raw());
    std::vector<llama_token_data> data;
    for (llama_token id = 0; id < n; id++) data.push_back({ id, 1.0f, 0.0f });
    llama_token_data_array all = { data.data(), data.size(), -1, false };
    llama_sampler_apply(sampler, &all);
    std::vector<char> out((size_t)n);
    for (llama_token id = 0; id < n; id++) out[(size_t)id] = std::isfinite(data[(size_t)id].logit);
    return out;
}

// llama.cpp gives control tokens their text, and is inexact about tokens that are a part of a character.
static bool compared(const Vocabulary & vocabulary, llama_token id) {
    if (llama_vocab_is_eog(vocabulary.raw(), id)) return true;
    const std::string piece = vocabulary.piece(id);
    return !piece.empty() && std::all_of(piece.begin(), piece.end(), [](char c) { return c > 0; });
}

static int against_llama(const Vocabulary & vocabulary, int grammars) {
    const int32_t n = llama_vocab_n_tokens(vocabulary.raw());
    int steps       = 0;
    for (int seed = 0; seed < grammars; seed++) {
        Writer writer((uint32_t)seed);
        const std::string text = writer.grammar();
        std::unique_ptr<Grammar> grammar;
        if (run_guarded([&] { grammar = std::make_unique<Grammar>(text, n); }).code) continue; // left recursion
        llama_sampler_ptr theirs(llama_sampler_init_grammar(vocabulary.raw(), text.c_str(), "root"));
        if (!theirs) continue; // it refuses repetitions of what may be empty
        GrammarState ours(*grammar, staying);
        for (int step = 0; step < 6; step++) {
            const std::vector<char> expected = allowed_by_llama(theirs.get(), vocabulary);
            std::vector<char> marks((size_t)n);
            if (run_guarded([&] { ours.allowed(vocabulary.pieces(), marks); }).code) break; // too many stacks
            for (const llama_token end : vocabulary.end_tokens()) marks[(size_t)end] = ours.complete();
            std::vector<llama_token> choices;
            bool same = true;
            for (llama_token id = 0; id < n; id++) {
                if (!compared(vocabulary, id)) continue;
                same = same && (bool)marks[(size_t)id] == (bool)expected[(size_t)id];
                if (llama_vocab_is_eog(vocabulary.raw(), id)) continue;
                same = same && ours.allows(id, vocabulary.piece(id)) == (bool)marks[(size_t)id];
                if (marks[(size_t)id]) choices.push_back(id);
            }
            check(same, "the tokens that may follow are those that llama.cpp allows");
            if (!same) std::fprintf(stderr, "  seed %d, step %d:\n%s\n", seed, step, text.c_str());
            if (!same || choices.empty()) break;
            const llama_token token = choices[writer.below((uint32_t)choices.size())];
            llama_sampler_accept(theirs.get(), token);
            ours.accept(token, vocabulary.piece(token));
            steps++;
        }
    }
    return steps;
}

// --- limits -------------------------------------------------------------------------------------------------------------

// Reads the grammar and follows it for some tokens. Returns the code of what was thrown, or "".
static std::string follow(const Vocabulary & vocabulary, const std::string & text, int tokens, const std::atomic<bool> & leaving) {
    const int32_t n     = llama_vocab_n_tokens(vocabulary.raw());
    const Thrown thrown = run_guarded([&] {
        Grammar grammar(text, n);
        GrammarState state(grammar, leaving);
        std::vector<char> marks((size_t)n);
        for (int i = 0; i < tokens; i++) {
            state.allowed(vocabulary.pieces(), marks);
            llama_token token = 0;
            while (token < n && !marks[(size_t)token]) token++;
            if (token == n) return;
            state.accept(token, vocabulary.piece(token));
        }
    });
    return thrown.code ? thrown.code : "";
}

// Every character of a class, and none outside it, whatever its length in UTF-8.
static void characters() {
    const std::vector<std::pair<std::string, std::function<bool(uint32_t)>>> classes = {
        { ".", [](uint32_t) { return true; } },
        { "[à-ÿ]", [](uint32_t c) { return c >= 0xe0 && c <= 0xff; } },
        { "[^a-zé]", [](uint32_t c) { return !(c >= 'a' && c <= 'z') && c != 0xe9; } },
        { "[\\u0100-\\U00010400]", [](uint32_t c) { return c >= 0x100 && c <= 0x10400; } },
        { "[^\\u07ff-\\uffff]", [](uint32_t c) { return c < 0x7ff || c > 0xffff; } },
        { "[^\\x00-\\x1f]", [](uint32_t c) { return c > 0x1f; } },
        { "\"€\"", [](uint32_t c) { return c == 0x20ac; } },
    };
    const auto utf8 = [](uint32_t c) -> std::string {
        const auto tail = [c](int shift) { return (char)(0x80 | ((c >> shift) & 0x3f)); };
        if (c < 0x80) return { (char)c };
        if (c < 0x800) return { (char)(0xc0 | c >> 6), tail(0) };
        if (c < 0x10000) return { (char)(0xe0 | c >> 12), tail(6), tail(0) };
        return { (char)(0xf0 | c >> 18), tail(12), tail(6), tail(0) };
    };
    for (const auto & [text, inside] : classes) {
        const Grammar grammar("root ::= " + text, 1);
        GrammarState state(grammar, staying);
        bool same = true;
        for (uint32_t c = 1; c <= 0x10ffff; c++) {
            if (c >= 0xd800 && c <= 0xdfff) continue;
            same = same && state.allows(0, utf8(c)) == inside(c);
        }
        for (uint32_t c = 0xd800; c <= 0xdfff; c++) same = same && !state.allows(0, utf8(c));
        for (const char * bytes :
             { "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5", "\xff", "\x80" }) {
            same = same && !state.allows(0, bytes);
        }
        check(same, "a class of characters holds exactly them");
    }
}

static void limits(const Vocabulary & vocabulary) {
    static const std::string left[] = {
        "root ::= root \"a\" | \"b\"",
        "root ::= x root \"a\" | \"b\"\nx ::= \"q\"?",
        "root ::= x y root \"a\" | \"b\"\nx ::= y | z\ny ::= z z\nz ::= \"q\"*",
        "root ::= a\na ::= b? c\nb ::= c a | \"x\"\nc ::= \"\"  (\"y\")? a \"z\"",
        "root ::= (root)? \"a\"",
    };
    for (const std::string & text : left) {
        check(follow(vocabulary, text, 1, staying) == "ERR_GRAMMAR", "left recursion is refused, behind whatever may be empty");
    }
    static const std::string loops[] = { "root ::= (\"a\"*)*", "root ::= ((\"a\" | \"\")+)* \"b\"", "root ::= \"a\" root | ",
                                         "root ::= (((\"e\"{2000}){2000}){2000}){2000}" };
    for (const std::string & text : loops) { check(follow(vocabulary, text, 20, staying).empty(), "repetitions of what may be empty end"); }

    std::string deep;
    for (int i = 0; i < 30; i++) {
        deep += (i == 0 ? std::string("root") : "a" + std::to_string(i)) + " ::= a" + std::to_string(i + 1) + "? a" +
                std::to_string(i + 1) + "?\n";
    }
    deep += "a30 ::= \"e\"";
    check(follow(vocabulary, deep, 50, staying) == "ERR_GRAMMAR", "optional parts thirty deep are refused");

    std::string equal = "root ::= r \".\"\nr ::= \"a\"";
    for (int i = 0; i < 200; i++) equal += " | \"a\" r";
    check(follow(vocabulary, equal, 50, staying).empty(), "equal alternatives are one");
    std::string rules = "root ::= r0 \".\"\n";
    for (int i = 0; i < 200; i++) {
        rules += "r" + std::to_string(i) + " ::= \"e\" (";
        for (int j = 0; j < 200; j++) rules += (j > 0 ? " | r" : "r") + std::to_string(j);
        rules += ") \"" + std::to_string(i) + "\"?\n";
    }
    check(follow(vocabulary, rules, 50, staying) == "ERR_GRAMMAR", "stacks without number are refused");

    std::string codes = "root ::= \"\"";
    for (int i = 0; i < 5000; i++) codes += " | \"C" + std::to_string(10000 + i) + "\"";
    check(follow(vocabulary, codes, 6, staying).empty(), "one of five thousand words is no burden");

    const std::atomic<bool> leaving{ true };
    check(follow(vocabulary, "root ::= [a-z]*", 5, leaving) == "ERR_CLOSED", "who leaves does not wait for a grammar");

    static const std::string malformed[] = {
        "",
        "answer ::= \"a\"",
        "root ::= other",
        "root ::= (",
        "root ::= \"a",
        "root ::= [a",
        "root ::= \"a\")",
        "root ::= *",
        "root ::= \"a\"{5,2}",
        "root ::= \"a\"{1,5000}",
        "root ::= \"\\q\"",
        "root ::= [z-a]",
        "root ::= \"\\ud800\"",
        "root := \"a\"",
        "root ::= <[99999999]>",
        "root ::= " + std::string(100, '(') + "\"a\"" + std::string(100, ')'),
        "root ::= \"" + std::string(70'000, 'a') + "\"",
    };
    for (const std::string & text : malformed)
        check(follow(vocabulary, text, 1, staying) == "ERR_GRAMMAR", "a malformed grammar is refused");
    check(follow(vocabulary, "root ::= <[300]> !<[301]> \"a\"?", 5, staying).empty(), "tokens may be named by their ids");

    for (uint32_t seed = 0; seed < 3000; seed++) { // whatever it is, it ends
        const std::string code = follow(vocabulary, Writer(seed).grammar(), 3, staying);
        check(code.empty() || code == "ERR_GRAMMAR", "a random grammar is followed or refused");
    }
}

void grammar_properties(const Vocabulary & vocabulary) {
    check(against_llama(vocabulary, 600) > 500, "most random grammars could be compared");
    characters();
    limits(vocabulary);
}
