// Draws against a reference that does what vLLM does, in double precision and plain loops.
#include "sampler.h"

#include "check.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

static std::atomic<bool> staying{ false };

static llama_token drawn_from(Sampler & sampler, const std::vector<float> & row) {
    static Logits logits;
    static SamplerScratch scratch;
    logits.read(row.data(), row.size());
    return sampler.sample(logits, scratch);
}

using Probabilities = std::vector<double>;

static void normalize(Probabilities & p) {
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double & x : p) x /= sum;
}

// Penalties on what has been generated, temperature, min-p, top-k, top-p.
static Probabilities reference(std::vector<double> logits, const SamplerParams & params, const std::vector<llama_token> & generated) {
    for (const llama_logit_bias & bias : params.logit_bias) logits[(size_t)bias.token] += bias.bias;
    for (size_t id = 0; id < logits.size(); id++) {
        const auto count = std::count(generated.begin(), generated.end(), (llama_token)id);
        if (count == 0) continue;
        logits[id] = logits[id] > 0 ? logits[id] / params.repeat_penalty : logits[id] * params.repeat_penalty;
        logits[id] -= (double)count * params.frequency_penalty + params.presence_penalty;
    }
    const double max = *std::max_element(logits.begin(), logits.end());
    Probabilities p;
    for (const double logit : logits) p.push_back(std::exp((logit - max) / params.temperature));
    normalize(p);

    const double most = *std::max_element(p.begin(), p.end());
    for (double & x : p)
        if (x < params.min_p * most) x = 0;
    normalize(p);

    std::vector<size_t> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
    for (size_t rank = 0; rank < order.size(); rank++)
        if (params.top_k > 0 && rank >= (size_t)params.top_k) p[order[rank]] = 0;
    normalize(p);

    double before = 0;
    for (const size_t id : order) {
        const double mass = p[id];
        if (before >= params.top_p) p[id] = 0;
        before += mass;
    }
    normalize(p);
    return p;
}

// Pearson's statistic over the tokens that are expected often enough, and nothing drawn that has no probability.
static bool agree(const Probabilities & p, const std::vector<int> & drawn) {
    const int n      = std::accumulate(drawn.begin(), drawn.end(), 0);
    double statistic = 0, rare = 0, rare_drawn = 0;
    int bins = 0;
    for (size_t id = 0; id < p.size(); id++) {
        if (p[id] == 0 && drawn[id] > 0) return false;
        if (p[id] * n < 5) {
            rare += p[id] * n;
            rare_drawn += drawn[id];
            continue;
        }
        statistic += (drawn[id] - p[id] * n) * (drawn[id] - p[id] * n) / (p[id] * n);
        bins++;
    }
    if (rare >= 5) {
        statistic += (rare_drawn - rare) * (rare_drawn - rare) / rare;
        bins++;
    }
    const double freedom = std::max(1, bins - 1);
    return statistic < freedom + 5 * std::sqrt(2 * freedom);
}

void sampling_order(const Vocabulary & vocabulary) {
    const size_t n = (size_t)llama_vocab_n_tokens(vocabulary.raw());
    std::mt19937 random(7);
    std::normal_distribution<float> normal(0.0f, 3.0f);
    std::vector<float> logits(n);
    for (float & logit : logits) logit = normal(random);
    const std::vector<double> exact(logits.begin(), logits.end());

    struct Case {
        float temperature, top_p, min_p;
        int32_t top_k;
    };
    static const Case cases[] = {
        { 1.0f, 1.0f, 0.0f, 0 },   { 0.5f, 1.0f, 0.0f, 0 },   { 2.0f, 1.0f, 0.0f, 0 },   { 2.0f, 0.8f, 0.0f, 0 },  { 0.5f, 0.8f, 0.0f, 0 },
        { 2.0f, 1.0f, 0.1f, 0 },   { 0.5f, 1.0f, 0.02f, 0 },  { 2.0f, 1.0f, 0.0f, 10 },  { 2.0f, 0.5f, 0.0f, 20 }, { 2.0f, 0.7f, 0.05f, 0 },
        { 1.5f, 0.6f, 0.02f, 30 }, { 0.7f, 0.9f, 0.05f, 40 }, { 4.0f, 0.95f, 0.3f, 50 },
    };
    for (const Case & given : cases) {
        SamplerParams params;
        params.temperature = given.temperature;
        params.top_p       = given.top_p;
        params.min_p       = given.min_p;
        params.top_k       = given.top_k;
        params.seed        = 42;
        params.logit_bias  = { { 5, 4.0f }, { 6, -INFINITY } };
        Sampler sampler(vocabulary, params, {}, nullptr, staying);
        std::vector<int> drawn(n);
        for (int i = 0; i < 100'000; i++) drawn[(size_t)drawn_from(sampler, logits)]++;
        check(agree(reference(exact, params, {}), drawn), "tokens are drawn as the reference says: bias, temperature, min-p, top-k, top-p");
    }

    SamplerParams penalized;
    penalized.temperature       = 0.7f;
    penalized.top_p             = 0.9f;
    penalized.repeat_penalty    = 1.5f;
    penalized.frequency_penalty = 0.3f;
    penalized.presence_penalty  = 0.4f;
    const size_t likely         = (size_t)(std::max_element(logits.begin(), logits.end()) - logits.begin());
    const size_t unlikely       = (size_t)(std::min_element(logits.begin(), logits.end()) - logits.begin());
    std::vector<int> drawn(n);
    for (uint32_t seed = 0; seed < 5000; seed++) {
        penalized.seed = seed;
        Sampler sampler(vocabulary, penalized, {}, nullptr, staying);
        for (const size_t before : { likely, unlikely, likely }) {
            std::vector<float> only(n, -30.0f);
            only[before] = 100.0f;
            drawn_from(sampler, only);
        }
        drawn[(size_t)drawn_from(sampler, logits)]++;
    }
    const std::vector<llama_token> generated = { (llama_token)likely, (llama_token)unlikely, (llama_token)likely };
    check(agree(reference(exact, penalized, generated), drawn), "penalties come before the temperature");

    for (const float temperature : { 0.0f, 1e-30f, 9e-6f }) { // whatever else is set
        SamplerParams greedy;
        greedy.temperature = temperature;
        greedy.top_p       = 0.5f;
        greedy.min_p       = 0.2f;
        greedy.top_k       = 3;
        Sampler sampler(vocabulary, greedy, {}, nullptr, staying);
        check((size_t)drawn_from(sampler, logits) == likely, "a temperature of nothing is greedy");
    }
}
