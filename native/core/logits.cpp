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
    copies.clear();
    maxima.resize(blocks_of(n));
    sums.resize(blocks_of(n));
    is_finite = row_passes().maxima(row, n, maxima.data());
    maximum   = *std::max_element(maxima.begin(), maxima.end());
}

void Logits::read(const Logits & other) {
    row       = other.row;
    n         = other.n;
    all       = other.all;
    is_finite = other.is_finite;
    maximum   = other.maximum;
    maxima    = other.maxima;
    copies    = other.copies;
    copy_of   = other.copy_of;
    sums.resize(blocks_of(n));
}

void Logits::change(llama_token token, float logit) {
    const size_t block = (size_t)token / BLOCK;
    if (copies.empty()) copy_of.assign(blocks_of(n), -1);
    if (copy_of[block] < 0) {
        copy_of[block] = (int32_t)(copies.size() / BLOCK);
        copies.insert(copies.end(), row + block * BLOCK, row + block * BLOCK + size_of(block));
        copies.resize(((size_t)copy_of[block] + 1) * BLOCK, -std::numeric_limits<float>::infinity());
    }
    float * copy    = copies.data() + (size_t)copy_of[block] * BLOCK;
    const float was = copy[(size_t)token % BLOCK];
    all             = 0.0;

    copy[(size_t)token % BLOCK] = logit;
    if (logit >= maxima[block])
        maxima[block] = logit;
    else if (was == maxima[block])
        row_passes().maxima(copy, size_of(block), &maxima[block]);
    if (logit >= maximum)
        maximum = logit;
    else if (was == maximum)
        maximum = *std::max_element(maxima.begin(), maxima.end());
}

llama_token Logits::most_probable() const {
    const size_t block  = (size_t)(std::find(maxima.begin(), maxima.end(), maximum) - maxima.begin());
    const float * begin = block_at(block);
    return (llama_token)(block * BLOCK + (size_t)(std::find(begin, begin + size_of(block), maximum) - begin));
}

double Logits::total(float scale) {
    const auto add = [&](size_t from, size_t to, const float * logits) {
        if (from < to) row_passes().sums(logits, std::min(n, to * BLOCK) - from * BLOCK, maximum, scale, &sums[from]);
    };
    size_t first = 0; // of the blocks that stand in the row one after the other
    for (size_t block = 0; !copies.empty() && block < sums.size(); block++) {
        if (copy_of[block] < 0) continue;
        add(first, block, row + first * BLOCK);
        add(block, block + 1, block_at(block));
        first = block + 1;
    }
    add(first, sums.size(), row + first * BLOCK);
    double sum = 0.0;
    for (const float of_block : sums) sum += of_block;
    return sum;
}

float Logits::logprob(llama_token token) {
    if (all == 0.0) all = total(LOG2_E);
    return (float)((double)logit(token) - maximum - std::log(all));
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
    weigh(block_at(block), size_of(block), maximum, scale, weights);
    size_t chosen = 0;
    for (size_t i = 0; i < size_of(block); i++) {
        if (weights[i] == 0.0f) continue; // a token that the bias forbids
        chosen = i;
        before += weights[i];
        if (before >= target) break;
    }
    return (llama_token)(block * BLOCK + chosen);
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
        const float * logits = block_at(block);
        const size_t size    = size_of(block);
        for (size_t i = 0; i < size; i++) {
            candidates[count] = { logits[i], 0.0f, (llama_token)(block * BLOCK + i) };
            count += logits[i] >= least;
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
