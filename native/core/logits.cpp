#include "logits.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

static constexpr float LOG2_E = 1.44269504f;

void Logits::read(const float * row_, size_t n_) {
    row = row_;
    n   = n_;
    all = 0.0;
    maxima.resize(blocks_of(n));
    sums.resize(blocks_of(n));
    is_finite = row_passes().maxima(row, n, maxima.data());
    maximum   = *std::max_element(maxima.begin(), maxima.end());
}

llama_token Logits::most_probable() const {
    const size_t block = (size_t)(std::find(maxima.begin(), maxima.end(), maximum) - maxima.begin());
    return (llama_token)(std::find(row + block * BLOCK, row + n, maximum) - row);
}

double Logits::total(float scale) {
    row_passes().sums(row, n, maximum, scale, sums.data());
    double sum = 0.0;
    for (const float of_block : sums) sum += of_block;
    return sum;
}

float Logits::logprob(llama_token token) {
    if (all == 0.0) all = total(LOG2_E);
    return (float)((double)row[token] - maximum - std::log(all));
}

std::vector<llama_token> Logits::top(size_t k) {
    gather(k > 0 && k <= maxima.size() ? kth_maximum(k) : std::numeric_limits<float>::lowest());
    k = std::min(k, candidates.size());
    std::partial_sort(candidates.begin(), candidates.begin() + (std::ptrdiff_t)k, candidates.end());
    std::vector<llama_token> tokens;
    for (size_t i = 0; i < k; i++) tokens.push_back(candidates[i].token);
    return tokens;
}

llama_token Logits::draw(const Cuts & cuts, double uniform) {
    const bool cut = cuts.min_p > 0.0f || cuts.top_p < 1.0f || (cuts.top_k > 0 && (size_t)cuts.top_k < n);
    if (!cut) return draw_from_all(LOG2_E / cuts.temperature, uniform);
    keep(cuts);
    double sum = 0.0;
    for (const Candidate & candidate : candidates) sum += candidate.weight;
    return candidates[reach(uniform * sum)].token;
}

std::vector<llama_token> Logits::kept(const Cuts & cuts) {
    keep(cuts);
    std::vector<llama_token> tokens;
    for (const Candidate & candidate : candidates) tokens.push_back(candidate.token);
    return tokens;
}

// The block is found by the sums, the token by weighing that block again.
llama_token Logits::draw_from_all(float scale, double uniform) {
    const double target = uniform * total(scale);
    double before       = 0.0;
    size_t block        = 0;
    while (before + sums[block] < target || sums[block] == 0.0f) before += sums[block++];

    float weights[BLOCK];
    const size_t first = block * BLOCK;
    const size_t size  = std::min(BLOCK, n - first);
    weigh(row + first, size, maximum, scale, weights);
    size_t chosen = 0;
    for (size_t i = 0; i < size; i++) {
        if (weights[i] == 0.0f) continue; // a token that the bias forbids
        chosen = i;
        before += weights[i];
        if (before >= target) break;
    }
    return (llama_token)(first + chosen);
}

void Logits::keep(const Cuts & cuts) {
    const float scale  = LOG2_E / cuts.temperature;
    const float lowest = std::numeric_limits<float>::lowest();
    const size_t k     = cuts.top_k > 0 && (size_t)cuts.top_k < n ? (size_t)cuts.top_k : n;
    float least        = lowest;
    if (cuts.min_p > 0.0f) least = std::max(least, maximum + cuts.temperature * std::log(cuts.min_p));
    if (k <= maxima.size()) least = std::max(least, kth_maximum(k)); // k blocks have one that is as large

    const bool only_top_p = least == lowest && k == n;
    const double of_all   = only_top_p ? total(scale) : 0.0;
    if (least > lowest)
        gather(least);
    else if (k < n)
        gather_until(cuts.temperature, [&] { return candidates.size() >= k; });
    else
        gather_until(cuts.temperature, [&] { return cuts.top_p < 1.0f && weigh_candidates(scale) >= cuts.top_p * of_all; });

    if (k < candidates.size()) {
        std::nth_element(candidates.begin(), candidates.begin() + (std::ptrdiff_t)k, candidates.end());
        candidates.resize(k);
    }
    const double of_candidates = weigh_candidates(scale);
    if (cuts.top_p < 1.0f) candidates.resize(reach(cuts.top_p * (only_top_p ? of_all : of_candidates)) + 1);
}

// Goes deeper until there are enough, at last to the end.
void Logits::gather_until(float temperature, const std::function<bool()> & enough) {
    const float lowest = std::numeric_limits<float>::lowest();
    for (float depth = 4.0f; depth < 100.0f; depth *= 1.5f) { // in natural logarithms; nothing below weighs anything
        gather(std::max(lowest, maximum - depth * temperature));
        if (enough()) return;
    }
    gather(lowest);
}

// Candidates are the tokens with at least this logit, in the order of their ids.
void Logits::gather(float least) {
    size_t count = 0;
    for (size_t block = 0; block < maxima.size(); block++) {
        if (maxima[block] < least) continue;
        if (candidates.size() < count + BLOCK) candidates.resize(2 * count + BLOCK);
        const size_t end = std::min(n, (block + 1) * BLOCK);
        for (size_t i = block * BLOCK; i < end; i++) {
            candidates[count] = { row[i], 0.0f, (llama_token)i };
            count += row[i] >= least;
        }
    }
    candidates.resize(count);
}

double Logits::weigh_candidates(float scale) {
    const size_t count = candidates.size();
    scratch.resize(2 * count);
    for (size_t i = 0; i < count; i++) scratch[i] = candidates[i].logit;
    weigh(scratch.data(), count, maximum, scale, scratch.data() + count);
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += candidates[i].weight = scratch[count + i];
    return sum;
}

// The candidate at which the weights, added from the most probable on, reach this. Those that are more probable come to stand before
// it: by halves, so that what is not near it is never sorted.
size_t Logits::reach(double mass) {
    const auto begin  = candidates.begin();
    size_t first      = 0;
    size_t last       = candidates.size();
    double before     = 0.0;
    const auto within = [&](size_t i) { return begin + (std::ptrdiff_t)i; };
    while (last - first > 32) {
        const size_t middle = first + (last - first) / 2;
        std::nth_element(within(first), within(middle), within(last));
        double half = 0.0;
        for (size_t i = first; i < middle; i++) half += candidates[i].weight;
        if (before + half >= mass) {
            last = middle;
        } else {
            first = middle;
            before += half;
        }
    }
    std::sort(within(first), within(last));
    for (size_t i = first; i < last; i++) {
        before += candidates[i].weight;
        if (before >= mass) return i;
    }
    return last - 1;
}

// The k-th largest of the blocks' maxima.
float Logits::kth_maximum(size_t k) {
    scratch.assign(maxima.begin(), maxima.end());
    const auto kth = scratch.begin() + (std::ptrdiff_t)(k - 1);
    std::nth_element(scratch.begin(), kth, scratch.end(), std::greater<float>());
    return *kth;
}
