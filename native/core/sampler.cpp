#include "sampler.h"

#include "error.h"

#include <algorithm>
#include <cmath>

// Below it logits divided by the temperature are no numbers any more. vLLM's bound.
static constexpr float GREEDY_BELOW = 1e-5f;

Sampler::Sampler(const Vocabulary & vocabulary_, const SamplerParams & params, std::vector<llama_token> ends_,
                 std::shared_ptr<const Grammar> grammar_, const std::atomic<bool> & leaving)
    : vocabulary(vocabulary_), logit_bias(params.logit_bias), repeat_penalty(params.repeat_penalty),
      frequency_penalty(params.frequency_penalty), presence_penalty(params.presence_penalty),
      penalizes(repeat_penalty != 1.0f || frequency_penalty != 0.0f || presence_penalty != 0.0f),
      greedy(params.temperature < GREEDY_BELOW), cuts{ params.temperature, params.min_p, params.top_k, params.top_p }, random(params.seed),
      ends(std::move(ends_)), grammar(std::move(grammar_)) {
    if (grammar) state = std::make_unique<GrammarState>(*grammar, leaving);
}

llama_token Sampler::sample(Logits & logits, SamplerScratch & scratch) {
    // Checking one token against the grammar is far cheaper than filtering the whole vocabulary, and most tokens pass.
    llama_token token = pick(logits, scratch, false);
    if (state && !allowed(token)) token = pick(logits, scratch, true);

    if (state && !is_end(token)) state->accept(token, vocabulary.piece(token));
    if (penalizes) counts[token]++;
    return token;
}

llama_token Sampler::pick(Logits & logits, SamplerScratch & scratch, bool constrained) {
    const bool as_it_is = !constrained && logit_bias.empty() && counts.empty();
    Logits & from       = as_it_is ? logits : changed(logits, scratch, constrained);
    return greedy ? from.most_probable() : from.draw(cuts, uniform());
}

// The row after grammar, bias and penalties.
Logits & Sampler::changed(const Logits & logits, SamplerScratch & scratch, bool constrained) {
    Logits & changed = scratch.changed;
    if (constrained) {
        scratch.row.assign(logits.data(), logits.data() + logits.size());
        forbid(scratch);
        changed.read(scratch.row.data(), scratch.row.size());
        if (changed.max() == -INFINITY)
            throw CodedError("ERR_GRAMMAR", "The grammar allows no token of this vocabulary to follow what was generated");
    } else {
        changed.read(logits);
    }
    for (const llama_logit_bias & bias : logit_bias) changed.change(bias.token, changed.logit(bias.token) + bias.bias);
    if (changed.max() == -INFINITY) {
        throw CodedError("ERR_OPTION", std::string("Expected `logitBias` to leave a token to choose, it forbids every one") +
                                           (constrained ? " that the grammar allows here" : " of the vocabulary"));
    }
    for (const auto & [token, count] : counts) {
        float logit = changed.logit(token);
        logit       = logit > 0.0f ? logit / repeat_penalty : logit * repeat_penalty;
        changed.change(token, logit - ((float)count * frequency_penalty + presence_penalty));
    }
    return changed;
}

bool Sampler::is_end(llama_token token) const { return std::find(ends.begin(), ends.end(), token) != ends.end(); }

bool Sampler::allowed(llama_token token) { return is_end(token) ? state->complete() : state->allows(token, vocabulary.piece(token)); }

void Sampler::forbid(SamplerScratch & scratch) {
    scratch.marks.resize(scratch.row.size());
    state->allowed(vocabulary.pieces(), scratch.marks);
    for (const llama_token end : ends) scratch.marks[(size_t)end] = state->complete();
    for (size_t token = 0; token < scratch.row.size(); token++)
        if (!scratch.marks[token]) scratch.row[token] = -INFINITY;
}

// In [0, 1), of two numbers of the generator: what libstdc++ makes of it, written down because other libraries need not.
double Sampler::uniform() {
    const double low  = (double)random();
    const double high = (double)random();
    const double from = (low + high * 0x1p32) * 0x1p-64;
    return from < 1.0 ? from : std::nextafter(1.0, 0.0);
}
