// Long texts are tokenized in pieces: the tokens are those of the whole, for every kind of vocabulary that llama.cpp brings.
#include "check.h"

#include <algorithm>
#include <filesystem>
#include <random>

static std::vector<llama_token> uncut(const llama_vocab * vocab, const std::string & text) {
    std::vector<llama_token> tokens(text.size() + 8);
    const int32_t n = llama_tokenize(vocab, text.data(), (int32_t)text.size(), tokens.data(), (int32_t)tokens.size(), false, false);
    tokens.resize(n < 0 ? 0 : (size_t)n);
    return tokens;
}

static std::string random_text(std::mt19937 & random, size_t bytes) {
    static const char * const bits[] = {
        "the ", "patient", " was",    "\n", "\n\n", "  ",     "    ",   "\t",  ".",   ", ",   "é", "ß", "漢字", "👩‍⚕️",
        "\x01", "\x7f",    "-",       "=",  "___",  "#",      "123",    "1/2", "<s>", "</s>", "[", "]", "▁",    "a",
        "aa",   "A",       "CHA₂DS₂", "²",  "\r\n", "\u00a0", "\u200b", "‰",   "µg",  "��"
    };
    static constexpr size_t n = sizeof(bits) / sizeof(bits[0]);
    std::string text;
    while (text.size() < bytes) {
        const std::string bit = bits[random() % n];
        for (size_t times = random() % 8 == 0 ? random() % 4000 : 1; times > 0; times--) text += bit;
    }
    return text;
}

void long_texts(const std::string & folder) {
    int compared = 0;
    for (const auto & entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".gguf") continue;
        llama_model_params params = llama_model_default_params();
        params.vocab_only         = true;
        llama_model_ptr model(llama_model_load_from_file(entry.path().string().c_str(), params));
        if (!model) continue;
        const llama_vocab * vocab = llama_model_get_vocab(model.get());
        const bool spm            = llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_SPM;
        if (!spm && llama_vocab_type(vocab) != LLAMA_VOCAB_TYPE_BPE) continue;
        const Vocabulary vocabulary(model.get());
        std::mt19937 random(1);
        for (int i = 0; i < (spm ? 40 : 2); i++) {
            const std::string text = random_text(random, 2000 + random() % 60'000);
            const auto expected    = uncut(vocab, text);
            if (std::any_of(expected.begin(), expected.end(), [&](llama_token token) { return vocabulary.is_special(token); })) continue;
            int pieces      = 0;
            const auto cut  = vocabulary.tokenize({ { text, false } }, Bos::NEVER, false, [&] { pieces++; });
            const bool many = spm && text.size() > 40'000;
            check(cut == expected, "a text in pieces has the tokens of the whole");
            check(!many || pieces > 1, "a long text is cut");
            compared++;

            const auto before = uncut(vocab, "\n");
            auto behind       = uncut(vocab, "\n" + text);
            if (spm && vocabulary.has_space_prefix() && std::equal(before.begin(), before.end(), behind.begin())) {
                behind.erase(behind.begin(), behind.begin() + (ptrdiff_t)before.size());
                check(vocabulary.tokenize({ { text, false } }, Bos::NEVER, true) == behind, "so has a text that goes on");
            }
        }
    }
    check(compared > 60, "vocabularies were there to be compared");
}
