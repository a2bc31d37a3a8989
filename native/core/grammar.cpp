#include "grammar.h"

#include "error.h"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>
#include <unordered_set>

static constexpr size_t MAX_BYTES       = 64 * 1024;
static constexpr int MAX_DEPTH          = 64;      // of parentheses
static constexpr size_t MAX_ELEMENTS    = 100'000; // after repetitions have been written out
static constexpr size_t MAX_REPETITIONS = 2000;
static constexpr size_t MAX_STACKS      = 8192;      // ways in which one text may have come about
static constexpr uint32_t MAX_WORK      = 2'000'000; // of one call: some tenths of a second
static constexpr size_t MAX_KEPT        = 200'000;   // stacks and successors remembered from one token to the next
static constexpr uint32_t LAST_CHAR     = 0x10ffff;

[[noreturn]] static void refuse(const std::string & expected) {
    throw CodedError("ERR_GRAMMAR", "Expected a GBNF grammar with " + expected);
}

// A grammar may hold a patient's words, and error messages end in logs: they show names as short as people give them.
static std::string shown(const std::string & name) {
    return name.size() <= 32 ? "`" + name + "`" : "a rule with a name of " + std::to_string(name.size()) + " bytes";
}

// --- reading ------------------------------------------------------------------------------------------------------------

// Recursive descent, one method a construct. Fills a Grammar.
class GrammarReader {
public:
    GrammarReader(Grammar & grammar_, int32_t n_vocab_) : grammar(grammar_), n_vocab(n_vocab_), text(grammar_.source) {}

    void read() {
        if (text.size() > MAX_BYTES) refuse("at most " + std::to_string(MAX_BYTES) + " bytes, got " + std::to_string(text.size()));
        if (text.find('\0') != std::string::npos) refuse("no NUL character");
        skip_space(true);
        while (at < text.size()) rule();
        for (const auto & [name, id] : names) {
            if (!defined[id]) refuse("every rule to be defined, " + shown(name) + " is not");
        }
        const auto root = names.find("root");
        if (root == names.end()) refuse("a rule named `root`");
        grammar.root = root->second;
        check_left_recursion();
    }

private:
    // A sequence is kept as symbols until its alternative ends: elements are linked from their end.
    struct Symbol {
        Grammar::Kind kind;
        int32_t value;
    };
    using Sequence = std::vector<Symbol>;
    using Ranges   = std::vector<std::pair<uint32_t, uint32_t>>;

    [[noreturn]] void fail(const std::string & expected) const {
        const size_t line  = 1 + std::count(text.begin(), text.begin() + (ptrdiff_t)std::min(at, text.size()), '\n');
        const size_t start = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
        const size_t col   = at - (start == std::string::npos ? 0 : start + 1) + 1;
        refuse(expected + " in line " + std::to_string(line) + ", byte " + std::to_string(col));
    }

    char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }

    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-'; }

    void skip_space(bool newlines) {
        for (;;) {
            const char c = peek();
            if (c == '#') {
                while (at < text.size() && peek() != '\n' && peek() != '\r') at++;
            } else if (c == ' ' || c == '\t' || (newlines && (c == '\n' || c == '\r'))) {
                at++;
            } else {
                return;
            }
        }
    }

    int32_t new_rule() {
        grammar.rules.emplace_back();
        defined.push_back(true);
        if (grammar.rules.size() > MAX_ELEMENTS) too_large();
        return (int32_t)grammar.rules.size() - 1;
    }

    [[noreturn]] static void too_large() { refuse("at most " + std::to_string(MAX_ELEMENTS) + " parts, repetitions written out"); }

    int32_t rule_named(const std::string & name) {
        const auto known = names.find(name);
        if (known != names.end()) return known->second;
        const int32_t id = new_rule();
        defined[id]      = false;
        names[name]      = id;
        return id;
    }

    std::string name() {
        const size_t start = at;
        while (is_word(peek())) at++;
        if (at == start) fail("the name of a rule (letters, digits, -)");
        return text.substr(start, at - start);
    }

    void rule() {
        const int32_t id = rule_named(name());
        skip_space(false);
        if (text.compare(at, 3, "::=") != 0) fail("`::=` behind a rule's name");
        at += 3;
        skip_space(true);
        grammar.rules[id] = alternatives(0);
        defined[id]       = true;
        if (at < text.size() && peek() != '\n' && peek() != '\r') fail("the end of the rule");
        skip_space(true);
    }

    std::vector<int32_t> alternatives(int depth) {
        std::vector<int32_t> out = { linked(sequence(depth)) };
        while (peek() == '|') {
            at++;
            skip_space(true);
            out.push_back(linked(sequence(depth)));
        }
        std::sort(out.begin(), out.end());
        out.erase(std::unique(out.begin(), out.end()), out.end());
        return out;
    }

    // The elements of a sequence, from its end, so that equal ends are shared. Returns the first, or -1 for none.
    int32_t linked(const Sequence & sequence) {
        int32_t next = -1;
        for (size_t i = sequence.size(); i-- > 0;) {
            const auto key           = std::make_tuple((int32_t)sequence[i].kind, sequence[i].value, next);
            const auto [found, made] = known_elements.try_emplace(key, (int32_t)grammar.elements.size());
            if (made) grammar.elements.push_back({ sequence[i].kind, sequence[i].value, next });
            if (grammar.elements.size() > MAX_ELEMENTS) too_large();
            next = found->second;
        }
        return next;
    }

    Sequence sequence(int depth) {
        const bool nested = depth > 0;
        Sequence out;
        size_t last = 0; // where the last item begins, to which a repetition applies
        for (;;) {
            const char c        = peek();
            const size_t before = out.size();
            if (c == '"') {
                literal(out);
            } else if (c == '[') {
                out.push_back(char_class());
            } else if (c == '.') {
                at++;
                out.push_back(chars({ { 1, LAST_CHAR } }));
            } else if (c == '<' || c == '!') {
                out.push_back(token());
            } else if (c == '(') {
                out.push_back(group(depth));
            } else if (is_word(c)) {
                out.push_back({ Grammar::RULE, rule_named(name()) });
            } else if (c == '*' || c == '+' || c == '?' || c == '{') {
                if (last == out.size()) fail("something before * + ? { that can be repeated");
                const auto [low, high] = bounds(nested);
                repeat(out, last, low, high);
                skip_space(nested);
                continue;
            } else {
                return out;
            }
            last = before;
            skip_space(nested);
        }
    }

    void literal(Sequence & out) {
        at++;
        while (peek() != '"') {
            const uint32_t c = character();
            if (c == 0) fail("no NUL character");
            for (const char byte : utf8(c)) out.push_back(bytes((uint8_t)byte, (uint8_t)byte));
            if (out.size() > MAX_ELEMENTS) too_large();
        }
        at++;
    }

    Symbol char_class() {
        at++;
        const bool negated = peek() == '^';
        if (negated) at++;
        Ranges ranges;
        while (peek() != ']') {
            const uint32_t low = character();
            uint32_t high      = low;
            if (peek() == '-' && peek(1) != ']') {
                at++;
                high = character();
                if (high < low) fail("a range of characters from low to high");
            }
            ranges.push_back({ low, high });
        }
        at++;
        if (ranges.empty() && !negated) fail("at least one character between [ and ]");
        return chars(negated ? complement(ranges) : ranges);
    }

    static Ranges complement(Ranges ranges) {
        std::sort(ranges.begin(), ranges.end());
        Ranges out;
        uint32_t from = 1;
        for (const auto & [low, high] : ranges) {
            if (low > from) out.push_back({ from, low - 1 });
            from = std::max(from, high + 1);
        }
        if (from <= LAST_CHAR) out.push_back({ from, LAST_CHAR });
        return out;
    }

    uint32_t character() {
        if (at >= text.size()) fail("a closing quote or bracket");
        if (peek() != '\\') return decoded();
        at++;
        const char c = peek();
        if (c != '\0') at++;
        switch (c) {
            case 'x': return hex(2);
            case 'u': return hex(4);
            case 'U': return hex(8);
            case 't': return '\t';
            case 'r': return '\r';
            case 'n': return '\n';
            case '\\':
            case '"':
            case '[':
            case ']':
            case '-': return (uint8_t)c;
            default: at--; fail("one of t r n x u U \\ \" [ ] - behind a backslash");
        }
    }

    uint32_t hex(int digits) {
        uint32_t value = 0;
        for (int i = 0; i < digits; i++) {
            const char c    = peek();
            const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
            if (digit < 0) fail(std::to_string(digits) + " hexadecimal digits");
            value = value << 4 | (uint32_t)digit;
            at++;
        }
        if (value > LAST_CHAR || (value >= 0xd800 && value <= 0xdfff)) fail("a character of Unicode");
        return value;
    }

    // The text comes from a JavaScript string and is thus valid UTF-8; a byte that is not stands for itself.
    uint32_t decoded() {
        const uint8_t first = (uint8_t)text[at++];
        const int more      = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
        uint32_t value      = more == 0 ? first : first & (0x3fu >> more);
        for (int i = 0; i < more && at < text.size(); i++) value = value << 6 | ((uint8_t)text[at++] & 0x3fu);
        return value;
    }

    static std::string utf8(uint32_t c) {
        std::string out;
        const auto tail = [&](int shift) { out += (char)(0x80 | ((c >> shift) & 0x3f)); };
        if (c < 0x80) {
            out += (char)c;
        } else if (c < 0x800) {
            out += (char)(0xc0 | c >> 6);
            tail(0);
        } else if (c < 0x10000) {
            out += (char)(0xe0 | c >> 12);
            tail(6);
            tail(0);
        } else {
            out += (char)(0xf0 | c >> 18);
            tail(12);
            tail(6);
            tail(0);
        }
        return out;
    }

    Symbol set(const std::bitset<256> & bits) {
        const auto [found, made] = known_sets.try_emplace(bits.to_string(), (int32_t)grammar.sets.size());
        if (made) grammar.sets.push_back(bits);
        return { Grammar::BYTES, found->second };
    }

    Symbol bytes(uint8_t low, uint8_t high) {
        std::bitset<256> bits;
        for (int byte = low; byte <= high; byte++) bits.set((size_t)byte);
        return set(bits);
    }

    // One character of the ranges: a set of bytes while all of it is ASCII, else a rule of byte sequences.
    Symbol chars(const Ranges & ranges) {
        std::bitset<256> ascii;
        std::vector<int32_t> sequences;
        for (const auto & [low, high] : ranges) {
            for (uint32_t c = std::max(low, 1u); c <= std::min(high, 0x7fu); c++) ascii.set(c); // a text has no NUL
            // the lengths of UTF-8, without the surrogates, which are no characters
            static constexpr std::pair<uint32_t, uint32_t> lengths[] = {
                { 0x80, 0x7ff }, { 0x800, 0xd7ff }, { 0xe000, 0xffff }, { 0x10000, LAST_CHAR }
            };
            for (const auto & [first, last] : lengths) {
                if (std::max(low, first) <= std::min(high, last)) {
                    byte_ranges(utf8(std::max(low, first)), utf8(std::min(high, last)), 0, {}, sequences);
                }
            }
        }
        if (sequences.empty()) return set(ascii);
        if (ascii.any()) sequences.push_back(linked({ set(ascii) }));
        return { Grammar::RULE, rule_of(std::move(sequences)) };
    }

    // The byte sequences between two of equal length: where they part, the two edges and all that lies between.
    void byte_ranges(const std::string & low, const std::string & high, size_t i, Sequence before, std::vector<int32_t> & out) {
        const auto with = [&](uint8_t from, uint8_t to) {
            Sequence longer = before;
            longer.push_back(bytes(from, to));
            return longer;
        };
        const uint8_t from = (uint8_t)low[i];
        const uint8_t to   = (uint8_t)high[i];
        if (i + 1 == low.size()) {
            out.push_back(linked(with(from, to)));
            return;
        }
        const std::string lowest(low.size(), '\x80'), highest(low.size(), '\xbf');
        const bool from_lowest = std::equal(low.begin() + (ptrdiff_t)i + 1, low.end(), lowest.begin() + (ptrdiff_t)i + 1);
        const bool to_highest  = std::equal(high.begin() + (ptrdiff_t)i + 1, high.end(), highest.begin() + (ptrdiff_t)i + 1);
        if (from == to) {
            byte_ranges(low, high, i + 1, with(from, to), out);
            return;
        }
        const uint8_t first = from_lowest ? from : from + 1;
        const uint8_t last  = to_highest ? to : to - 1;
        if (!from_lowest) byte_ranges(low, highest, i + 1, with(from, from), out);
        if (first <= last) byte_ranges(lowest, highest, i + 1, with(first, last), out);
        if (!to_highest) byte_ranges(lowest, high, i + 1, with(to, to), out);
    }

    Symbol token() {
        const Grammar::Kind kind = peek() == '!' ? Grammar::NOT_TOKEN : Grammar::TOKEN;
        if (kind == Grammar::NOT_TOKEN) at++;
        if (peek() != '<' || peek(1) != '[') fail("a token as <[id]>");
        at += 2;
        const size_t id = integer();
        if (id >= (size_t)n_vocab) fail("a token id from 0 to " + std::to_string(n_vocab - 1));
        if (peek() != ']' || peek(1) != '>') fail("]> behind a token's id");
        at += 2;
        return { kind, (int32_t)id };
    }

    Symbol group(int depth) {
        if (depth >= MAX_DEPTH) fail("parentheses at most " + std::to_string(MAX_DEPTH) + " deep");
        at++;
        skip_space(true);
        std::vector<int32_t> inner = alternatives(depth + 1);
        if (peek() != ')') fail("a closing parenthesis");
        at++;
        return { Grammar::RULE, rule_of(std::move(inner)) };
    }

    size_t integer() {
        if (!is_digit(peek())) fail("a whole number");
        size_t value = 0;
        for (; is_digit(peek()); at++) value = std::min<size_t>(value * 10 + (size_t)(peek() - '0'), 1'000'000'000);
        return value;
    }

    static constexpr size_t ENDLESS = SIZE_MAX;

    std::pair<size_t, size_t> bounds(bool nested) {
        const char c = peek();
        at++;
        if (c == '*') return { 0, ENDLESS };
        if (c == '+') return { 1, ENDLESS };
        if (c == '?') return { 0, 1 };
        skip_space(nested);
        const size_t low = integer();
        size_t high      = low;
        skip_space(nested);
        if (peek() == ',') {
            at++;
            skip_space(nested);
            high = is_digit(peek()) ? integer() : ENDLESS;
            skip_space(nested);
        }
        if (peek() != '}') fail("repetitions as {2}, {2,} or {2,5}");
        at++;
        if (low > MAX_REPETITIONS || (high != ENDLESS && (high < low || high > MAX_REPETITIONS))) {
            fail("repetitions from low to high, at most " + std::to_string(MAX_REPETITIONS) + ",");
        }
        return { low, high };
    }

    // S{2,4} becomes S S (S (S)?)?, S{2,} becomes S S S' with S' ::= S S' |.
    void repeat(Sequence & out, size_t last, size_t low, size_t high) {
        const Sequence item(out.begin() + (ptrdiff_t)last, out.end());
        out.resize(last);
        if (item.size() * std::max<size_t>(1, high == ENDLESS ? low : high) > MAX_ELEMENTS) too_large();
        for (size_t i = 0; i < low; i++) out.insert(out.end(), item.begin(), item.end());
        if (high == ENDLESS) {
            const int32_t id = new_rule();
            Sequence again   = item;
            again.push_back({ Grammar::RULE, id });
            grammar.rules[id] = { -1, linked(again) };
            out.push_back({ Grammar::RULE, id });
            return;
        }
        int32_t optional = -1;
        for (size_t i = low; i < high; i++) {
            Sequence once = item;
            if (optional >= 0) once.push_back({ Grammar::RULE, optional });
            optional = rule_of({ -1, linked(once) });
        }
        if (optional >= 0) out.push_back({ Grammar::RULE, optional });
    }

    // A rule without a name; equal ones are one.
    int32_t rule_of(std::vector<int32_t> alternatives) {
        std::sort(alternatives.begin(), alternatives.end());
        alternatives.erase(std::unique(alternatives.begin(), alternatives.end()), alternatives.end());
        const auto known = known_rules.find(alternatives);
        if (known != known_rules.end()) return known->second;
        const int32_t id          = new_rule();
        grammar.rules[id]         = alternatives;
        known_rules[alternatives] = id;
        return id;
    }

    // Refuses grammars in which a rule can begin with itself and leave something on the stack each time: their stacks never
    // end. A rule that only begins with itself as the last of its parts, as in ("a"*)*, comes back to the stack it left.
    void check_left_recursion() const {
        const std::vector<char> nullable = nullable_rules();
        const size_t n                   = grammar.rules.size();
        struct Edge {
            int32_t to;
            bool grows;
        };
        std::vector<std::vector<Edge>> edges(n);
        for (size_t rule = 0; rule < n; rule++) {
            for (const int32_t first : grammar.rules[rule]) {
                for (int32_t e = first; e >= 0 && grammar.elements[e].kind == Grammar::RULE; e = grammar.elements[e].next) {
                    edges[rule].push_back({ grammar.elements[e].value, grammar.elements[e].next >= 0 });
                    if (!nullable[grammar.elements[e].value]) break;
                }
            }
        }
        // Tarjan's strongly connected components, without recursion: an edge that grows within one is left recursion.
        std::vector<int32_t> index(n, -1), low(n, 0), component(n, -1), open;
        std::vector<std::pair<int32_t, size_t>> path;
        int32_t count = 0, components = 0;
        for (size_t start = 0; start < n; start++) {
            if (index[start] >= 0) continue;
            path.push_back({ (int32_t)start, 0 });
            while (!path.empty()) {
                auto & [rule, edge] = path.back();
                if (edge == 0 && index[rule] < 0) {
                    index[rule] = low[rule] = count++;
                    open.push_back(rule);
                }
                if (edge < edges[rule].size()) {
                    const int32_t to = edges[rule][edge++].to;
                    if (index[to] < 0) {
                        path.push_back({ to, 0 });
                    } else if (component[to] < 0) {
                        low[rule] = std::min(low[rule], index[to]);
                    }
                    continue;
                }
                const int32_t done = rule;
                if (low[done] == index[done]) {
                    int32_t member;
                    do {
                        member = open.back();
                        open.pop_back();
                        component[member] = components;
                    } while (member != done);
                    components++;
                }
                path.pop_back();
                if (!path.empty()) low[path.back().first] = std::min(low[path.back().first], low[done]);
            }
        }
        for (size_t rule = 0; rule < n; rule++) {
            for (const Edge & edge : edges[rule]) {
                if (edge.grows && component[rule] == component[edge.to])
                    refuse("no left recursion, " + called((int32_t)rule) + " begins with itself");
            }
        }
    }

    std::string called(int32_t rule) const {
        for (const auto & [name, id] : names)
            if (id == rule) return shown(name);
        return "a part in parentheses or with a repetition";
    }

    // Rules that may stand for nothing, to a fixpoint: a rule is looked at again when one that it waits for has become so.
    std::vector<char> nullable_rules() const {
        const size_t n = grammar.rules.size();
        std::vector<char> nullable(n, 0);
        std::vector<std::vector<std::pair<int32_t, int32_t>>> waiting(n); // for a rule: (rule, element behind it)
        std::vector<std::pair<int32_t, int32_t>> todo;
        for (size_t rule = 0; rule < n; rule++)
            for (const int32_t first : grammar.rules[rule]) todo.push_back({ (int32_t)rule, first });
        while (!todo.empty()) {
            auto [rule, e] = todo.back();
            todo.pop_back();
            while (e >= 0 && grammar.elements[e].kind == Grammar::RULE && nullable[grammar.elements[e].value]) e = grammar.elements[e].next;
            if (e >= 0 && grammar.elements[e].kind == Grammar::RULE) {
                waiting[grammar.elements[e].value].push_back({ rule, grammar.elements[e].next });
            } else if (e < 0 && !nullable[rule]) {
                nullable[rule] = 1;
                todo.insert(todo.end(), waiting[rule].begin(), waiting[rule].end());
                waiting[rule].clear();
            }
        }
        return nullable;
    }

    Grammar & grammar;
    int32_t n_vocab;
    const std::string & text;
    size_t at = 0;
    std::map<std::string, int32_t> names;
    std::vector<char> defined;
    std::map<std::tuple<int32_t, int32_t, int32_t>, int32_t> known_elements;
    std::map<std::string, int32_t> known_sets;
    std::map<std::vector<int32_t>, int32_t> known_rules;
};

Grammar::Grammar(std::string text, int32_t n_vocab) : source(std::move(text)) { GrammarReader(*this, n_vocab).read(); }

// --- pieces -------------------------------------------------------------------------------------------------------------

void Pieces::add(int32_t token, const std::string & bytes) {
    if (!bytes.empty()) pieces.push_back({ bytes, token });
}

void Pieces::sort() {
    std::sort(pieces.begin(), pieces.end(), [](const Piece & a, const Piece & b) { return a.bytes < b.bytes; });
    for (size_t i = 1; i < pieces.size(); i++) {
        const std::string & a = pieces[i - 1].bytes;
        const std::string & b = pieces[i].bytes;
        pieces[i].shared      = (uint32_t)(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    }
}

// --- matching -----------------------------------------------------------------------------------------------------------

GrammarState::GrammarState(const Grammar & grammar_, const std::atomic<bool> & leaving_) : grammar(grammar_), leaving(leaving_) {
    node_of({}); // DEAD
    std::vector<int32_t> first;
    for (const int32_t element : grammar.rules[(size_t)grammar.root]) first.push_back(element < 0 ? -1 : stack(element, -1));
    now = node_of(std::move(first));
}

bool GrammarState::complete() const { return !nodes[(size_t)now].stacks.empty() && nodes[(size_t)now].stacks.front() == -1; }

bool GrammarState::allows(int32_t token, const std::string & bytes) {
    work = 0;
    return after_token(now, token, bytes) != DEAD;
}

void GrammarState::accept(int32_t token, const std::string & bytes) {
    work = 0;
    now  = after_token(now, token, bytes);
    if (stacks.size() + nodes.size() * 64 > MAX_KEPT) forget();
}

void GrammarState::allowed(const Pieces & pieces, std::vector<char> & marks) {
    work = 0;
    std::fill(marks.begin(), marks.end(), 0);
    std::vector<int32_t> path = { now }; // after each byte of the piece
    for (const Pieces::Piece & piece : pieces.pieces) {
        if (piece.shared + 1 < path.size()) path.resize(piece.shared + 1);
        if (path.back() == DEAD) continue; // with it whatever else begins so
        while (path.size() <= piece.bytes.size() && path.back() != DEAD) {
            path.push_back(after(path.back(), (uint8_t)piece.bytes[path.size() - 1]));
        }
        if (path.back() != DEAD) marks[(size_t)piece.token] = 1;
    }
    if (!nodes[(size_t)now].has_tokens) return;
    const std::vector<int32_t> here = nodes[(size_t)now].stacks;
    for (const int32_t s : here) {
        if (s < 0) continue;
        const Grammar::Element & element = grammar.elements[(size_t)stacks[(size_t)s].element];
        if (element.kind == Grammar::TOKEN) marks[(size_t)element.value] = 1;
        if (element.kind == Grammar::NOT_TOKEN) {
            for (const Pieces::Piece & piece : pieces.pieces)
                if (piece.token != element.value) marks[(size_t)piece.token] = 1;
        }
    }
}

int32_t GrammarState::stack(int32_t element, int32_t below) {
    const uint64_t key       = (uint64_t)(uint32_t)element << 32 | (uint32_t)below;
    const auto [found, made] = stack_numbers.try_emplace(key, (int32_t)stacks.size());
    if (made) stacks.push_back({ element, below });
    return found->second;
}

// The stack without its uppermost element.
int32_t GrammarState::rest_of(int32_t s) {
    const Stack top    = stacks[(size_t)s];
    const int32_t next = grammar.elements[(size_t)top.element].next;
    return next < 0 ? top.below : stack(next, top.below);
}

// Replaces rules by what they begin with, until bytes, tokens or nothing are on top, and numbers the set.
int32_t GrammarState::node_of(std::vector<int32_t> todo) {
    std::vector<int32_t> out;
    std::unordered_set<int32_t> seen(todo.begin(), todo.end());
    todo.assign(seen.begin(), seen.end());
    bool has_tokens = false;
    while (!todo.empty()) {
        const int32_t s = todo.back();
        todo.pop_back();
        spend(4);
        if (s < 0 || grammar.elements[(size_t)stacks[(size_t)s].element].kind != Grammar::RULE) {
            has_tokens = has_tokens || (s >= 0 && grammar.elements[(size_t)stacks[(size_t)s].element].kind != Grammar::BYTES);
            out.push_back(s);
            if (out.size() > MAX_STACKS) {
                refuse("at most " + std::to_string(MAX_STACKS) +
                       " ways to read a text, this one has more: make optional and "
                       "equal parts fewer");
            }
            continue;
        }
        const int32_t rest = rest_of(s);
        for (const int32_t first : grammar.rules[(size_t)grammar.elements[(size_t)stacks[(size_t)s].element].value]) {
            const int32_t next = first < 0 ? rest : stack(first, rest);
            if (seen.insert(next).second) todo.push_back(next);
        }
    }
    std::sort(out.begin(), out.end());
    const std::string key((const char *)out.data(), out.size() * sizeof(int32_t));
    const auto [found, made] = node_numbers.try_emplace(key, (int32_t)nodes.size());
    if (made) {
        spend(64);
        nodes.push_back({ std::move(out), has_tokens, {} });
        nodes.back().after.fill(UNKNOWN);
    }
    return found->second;
}

int32_t GrammarState::after(int32_t node, uint8_t byte) {
    if (nodes[(size_t)node].after[byte] != UNKNOWN) return nodes[(size_t)node].after[byte];
    std::vector<int32_t> next;
    const size_t n = nodes[(size_t)node].stacks.size();
    spend((uint32_t)n / 8 + 1);
    for (size_t i = 0; i < n; i++) {
        const int32_t s = nodes[(size_t)node].stacks[i];
        if (s < 0) continue;
        const Grammar::Element & element = grammar.elements[(size_t)stacks[(size_t)s].element];
        if (element.kind == Grammar::BYTES && grammar.sets[(size_t)element.value][byte]) next.push_back(rest_of(s));
    }
    const int32_t to                = next.empty() ? DEAD : node_of(std::move(next));
    nodes[(size_t)node].after[byte] = to;
    return to;
}

int32_t GrammarState::after_token(int32_t node, int32_t token, const std::string & bytes) {
    int32_t to = bytes.empty() ? DEAD : node;
    for (size_t i = 0; i < bytes.size() && to != DEAD; i++) to = after(to, (uint8_t)bytes[i]);
    if (!nodes[(size_t)node].has_tokens) return to;
    std::vector<int32_t> next       = nodes[(size_t)to].stacks;
    const std::vector<int32_t> here = nodes[(size_t)node].stacks;
    for (const int32_t s : here) {
        if (s < 0) continue;
        const Grammar::Element & element = grammar.elements[(size_t)stacks[(size_t)s].element];
        const bool fits                  = (element.kind == Grammar::TOKEN && element.value == token) ||
                          (element.kind == Grammar::NOT_TOKEN && element.value != token && !bytes.empty());
        if (fits) next.push_back(rest_of(s));
    }
    return next.empty() ? DEAD : node_of(std::move(next));
}

void GrammarState::spend(uint32_t units) {
    work += units;
    if (work > MAX_WORK) refuse("fewer ways to read a text: to find the next token takes too long");
    if (leaving) throw CodedError("ERR_CLOSED", "The engine is closed");
}

// Begins the numbering anew from the present set.
void GrammarState::forget() {
    const std::vector<Stack> old       = std::move(stacks);
    const std::vector<int32_t> present = std::move(nodes[(size_t)now].stacks);
    stacks.clear();
    stack_numbers.clear();
    nodes.clear();
    node_numbers.clear();
    node_of({});
    std::vector<int32_t> renumbered(old.size(), -1); // what lies below has a lower number
    std::vector<char> wanted(old.size(), 0);
    for (const int32_t s : present)
        if (s >= 0) wanted[(size_t)s] = 1;
    for (size_t s = old.size(); s-- > 0;)
        if (wanted[s] && old[s].below >= 0) wanted[(size_t)old[s].below] = 1;
    for (size_t s = 0; s < old.size(); s++) {
        if (!wanted[s]) continue;
        renumbered[s] = stack(old[s].element, old[s].below < 0 ? -1 : renumbered[(size_t)old[s].below]);
    }
    std::vector<int32_t> again;
    for (const int32_t s : present) again.push_back(s < 0 ? -1 : renumbered[(size_t)s]);
    now = node_of(std::move(again));
}
