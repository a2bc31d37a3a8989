// Rows of logits: passes of every instruction set against double precision, cuts and draws against llama.cpp's samplers.
#include "chain.h"
#include "check.h"
#include "pool.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <thread>

static std::atomic<bool> staying{ false };

using Row = std::vector<float>;

static const float INF = std::numeric_limits<float>::infinity();

// Rows of every shape that has ended a sampler: small, tied, flat, steep, far from zero, almost all of it forbidden.
static Row any_row(std::mt19937 & random) {
    static const size_t sizes[] = { 1, 2, 3, 31, 127, 128, 129, 500, 1000, 4000 };
    const size_t n              = random() % 4 ? 1 + random() % 1500 : sizes[random() % std::size(sizes)];
    static const float widths[] = { 1e-30f, 1e-6f, 0.5f, 3.0f, 10.0f, 200.0f };
    std::normal_distribution<float> normal(random() % 3 ? 0.0f : (float)(random() % 200) - 100.0f, widths[random() % std::size(widths)]);
    Row row(n);
    for (float & logit : row) logit = normal(random);
    if (random() % 3 == 0)
        for (float & logit : row) logit = std::round(logit); // ties
    if (random() % 4 == 0) row[random() % n] += 50.0f;
    if (random() % 4 == 0)
        for (float & logit : row)
            if (random() % 3) logit = -INF;
    if (*std::max_element(row.begin(), row.end()) == -INF) row[random() % n] = 1.0f;
    return row;
}

static SamplerParams any_cuts(std::mt19937 & random) {
    static const float temperatures[] = { 1e-5f, 0.01f, 0.3f, 0.8f, 1.0f, 1.5f, 5.0f, 100.0f };
    static const float ps[]           = { 1e-30f, 0.01f, 0.5f, 0.9f, 0.99f, 0.9999f, 0x1.fffffep-1f };
    static const int32_t ks[]         = { 1, 2, 5, 40, 200, 1000, 2'000'000'000 };
    SamplerParams params;
    params.temperature = temperatures[random() % std::size(temperatures)];
    if (random() % 2) params.top_k = ks[random() % std::size(ks)];
    if (random() % 2) params.top_p = ps[random() % std::size(ps)];
    if (random() % 3 == 0) params.min_p = random() % 5 ? ps[random() % std::size(ps)] : 1.0f;
    params.seed = (uint32_t)random();
    return params;
}

static Cuts cuts_of(const SamplerParams & params) { return { params.temperature, params.min_p, params.top_k, params.top_p }; }

static std::vector<size_t> from_most_probable(const Row & row) {
    std::vector<size_t> order(row.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return row[a] > row[b]; });
    while (row[order.back()] == -INF) order.pop_back();
    return order;
}

// How many tokens the definition leaves, from the most probable on: at least and at most, where rounding decides.
static std::pair<size_t, size_t> left_by(const Row & row, const std::vector<size_t> & order, const Cuts & cuts, double doubt) {
    const double top  = row[order[0]];
    const auto weight = [&](size_t rank) { return std::exp((row[order[rank]] - top) / (double)cuts.temperature); };
    std::pair<size_t, size_t> out;
    for (const bool most : { false, true }) {
        const double slack = most ? 1 + doubt : 1 - doubt;
        size_t count       = order.size();
        if (cuts.min_p > 0) { // the difference of two logits is rounded to a part of the larger one
            const double step  = doubt * (1 + std::abs(top) / cuts.temperature) * (most ? 1 : -1);
            const double floor = std::log((double)cuts.min_p) - step;
            for (count = 1; count < order.size() && (row[order[count]] - top) / cuts.temperature >= floor;) count++;
        }
        if (cuts.top_k > 0) count = std::min(count, (size_t)cuts.top_k);
        if (cuts.top_p < 1) {
            double sum = 0, before = 0;
            for (size_t rank = 0; rank < count; rank++) sum += weight(rank);
            size_t rank = 0;
            while (rank < count && (rank == 0 || before < cuts.top_p * sum * slack)) before += weight(rank++);
            count = rank;
        }
        (most ? out.second : out.first) = count;
    }
    return out;
}

static void cuts() {
    std::mt19937 random(11);
    Logits logits;
    for (int round = 0; round < 4000; round++) {
        const Row row              = any_row(random);
        const SamplerParams params = any_cuts(random);
        const auto order           = from_most_probable(row);
        logits.read(row.data(), row.size());
        auto kept                = logits.kept(cuts_of(params));
        const auto [least, most] = left_by(row, order, cuts_of(params), 1e-6);
        check(kept.size() >= least && kept.size() <= most, "as many tokens are left as the definition of the cuts says");
        std::sort(kept.begin(), kept.end());
        std::vector<llama_token> first(order.begin(), order.begin() + (std::ptrdiff_t)std::min(kept.size(), order.size()));
        std::sort(first.begin(), first.end());
        check(kept == first, "the most probable are left, of equal ones those with lower ids");
    }
}

static void most_probable_ones() {
    std::mt19937 random(16);
    Logits logits;
    for (int round = 0; round < 2000; round++) {
        const Row row    = any_row(random);
        const auto order = from_most_probable(row);
        const size_t k   = 1 + random() % 20;
        logits.read(row.data(), row.size());
        if (random() % 2) logits.draw(cuts_of(any_cuts(random)), 0.5);
        const auto top = logits.top(k);
        check(top.size() == std::min(k, order.size()), "as many of the most probable tokens come as are asked for");
        bool same = true;
        for (size_t i = 0; i < std::min(top.size(), order.size()); i++) same = same && (size_t)top[i] == order[i];
        check(same, "the most probable tokens come in their order, of equal ones the lower id first");
    }
}

// To the bit what reading a row with these logits gives, whatever is asked for before and in between.
static void changes() {
    std::mt19937 random(17);
    Logits logits, changed, read;
    for (int round = 0; round < 2000; round++) {
        const Row row = any_row(random);
        Row other     = row;
        logits.read(row.data(), row.size());
        changed.read(logits);
        const Row before   = row;
        const float max    = logits.max();
        const size_t count = random() % 40;
        for (size_t i = 0; i < count; i++) {
            const size_t top = (size_t)(std::max_element(other.begin(), other.end()) - other.begin());
            const size_t at  = random() % 4 == 0 ? top : random() % other.size();
            other[at]        = random() % 8 == 0 ? -INF : other[at] + (float)((int)(random() % 9) - 4);
            changed.change((llama_token)at, other[at]);
            if (random() % 8 == 0 && changed.max() > -INF) changed.logprob((llama_token)at);
        }
        read.read(other.data(), other.size());
        check(changed.max() == read.max(), "a changed row has the maximum of the row with these logits");
        if (read.max() == -INF) continue;
        const Cuts cuts      = cuts_of(any_cuts(random));
        const double uniform = (double)random() / 4294967296.0;
        const auto token     = read.draw(cuts, uniform);
        check(changed.draw(cuts, uniform) == token, "a changed row draws what the row with these logits draws");
        check(changed.most_probable() == read.most_probable(), "the most probable token follows the changes");
        check(changed.kept(cuts) == read.kept(cuts), "the cuts follow the changes");
        check(changed.top(5) == read.top(5), "the most probable tokens follow the changes");
        check(changed.logprob(token) == read.logprob(token), "log-probabilities follow the changes");
        check(row == before && logits.max() == max, "what was read first stays as it is");
    }
}

// llama.cpp adds up in single precision, one after the other: where it and the definition part, its sum is that far off.
static void cuts_of_llama() {
    std::mt19937 random(12);
    Logits logits;
    int equal = 0, rounds = 3000;
    for (int round = 0; round < rounds; round++) {
        const Row row              = any_row(random);
        const SamplerParams params = any_cuts(random);
        const auto order           = from_most_probable(row);
        logits.read(row.data(), row.size());
        auto ours   = logits.kept(cuts_of(params));
        auto theirs = Chain(params, (int32_t)row.size()).kept(row);
        theirs.erase(std::remove_if(theirs.begin(), theirs.end(), [&](llama_token id) { return row[(size_t)id] == -INF; }), theirs.end());
        const auto [least, most] = left_by(row, order, cuts_of(params), 1e-4);
        check(theirs.size() >= least && theirs.size() <= most, "llama.cpp leaves as many tokens, but for its rounding");
        const auto logits_of = [&](std::vector<llama_token> & ids) {
            std::multiset<float> out;
            for (const llama_token id : ids) out.insert(row[(size_t)id]);
            return out;
        };
        equal += logits_of(ours) == logits_of(theirs);
    }
    check(equal > rounds * 9 / 10, "llama.cpp's cuts leave the same logits");
}

static void greedy() {
    std::mt19937 random(13);
    Logits logits;
    SamplerParams params;
    for (int round = 0; round < 2000; round++) {
        const Row row = any_row(random);
        logits.read(row.data(), row.size());
        check(logits.most_probable() == Chain(params, (int32_t)row.size()).sample(row), "the most probable token is llama.cpp's");
    }
}

// The seed decides: the same generator, the same two numbers of it a draw, the same order of the tokens.
static void seeds(const Vocabulary & vocabulary) {
    std::mt19937 random(14);
    Logits logits;
    SamplerScratch scratch;
    int equal = 0, drawn = 0;
    for (int round = 0; round < 400; round++) {
        SamplerParams params          = any_cuts(random);
        const bool from_most_probable = params.top_p < 1.0f || (params.top_k > 0 && params.top_k < 700);
        const bool all                = params.top_k == 0 && params.top_p == 1.0f && params.min_p == 0.0f;
        if (!from_most_probable && !all) continue; // llama.cpp's order is another
        params.frequency_penalty = random() % 3 ? 0.0f : 0.7f;
        params.repeat_penalty    = random() % 3 ? 1.0f : 1.3f;
        Sampler sampler(vocabulary, params, {}, nullptr, staying);
        Row row(700);
        std::normal_distribution<float> normal(0.0f, 3.0f);
        for (float & logit : row) logit = normal(random);
        Chain chain(params, (int32_t)row.size());
        for (int i = 0; i < 20; i++) {
            logits.read(row.data(), row.size());
            equal += sampler.sample(logits, scratch) == chain.sample(row);
            drawn++;
        }
    }
    check(equal > drawn * 99 / 100, "a seed draws the tokens that it draws in llama.cpp");
}

static void logprobs() {
    std::mt19937 random(15);
    Logits logits;
    double worst = 0;
    for (int round = 0; round < 500; round++) {
        Row row = any_row(random);
        if (round == 0) row.assign(128'256, 0.0f);
        if (round == 1) {
            row.assign(128'256, -11.6f);
            row[77] = 0.0f;
        }
        if (round == 2) {
            row.resize(128'256);
            std::normal_distribution<float> normal(0.0f, 3.0f);
            for (float & logit : row) logit = normal(random);
        }
        logits.read(row.data(), row.size());
        const double top = *std::max_element(row.begin(), row.end());
        double sum       = 0;
        for (const float logit : row) sum += std::exp(logit - top);
        for (int i = 0; i < 5; i++) {
            const size_t token = i == 0 ? (size_t)logits.most_probable() : random() % row.size();
            if (row[token] == -INF) continue;
            const double exact = row[token] - top - std::log(sum);
            worst              = std::max(worst, std::abs(logits.logprob((llama_token)token) - exact) - std::abs(exact) * 0x1p-24);
        }
    }
    check(worst < 1e-6, "log-probabilities are those of double precision");
}

static void powers() {
    double worst = 0;
    bool zero    = true;
    std::vector<float> x, power;
    for (uint64_t bits = 0x80000000u; bits <= 0xff800000u; bits += 997) {
        const uint32_t word = (uint32_t)bits;
        float value;
        std::memcpy(&value, &word, sizeof(value));
        x.push_back(value);
    }
    x.push_back(-INF);
    x.push_back(-125.0f);
    x.push_back(std::nextafter(-125.0f, 0.0f));
    for (int whole = -125; whole <= 0; whole++)
        for (const float around : { -0.5f, -1e-7f, 0.0f }) x.push_back((float)whole + around);
    power.resize(x.size());
    weigh(x.data(), x.size(), 0.0f, 1.0f, power.data());
    for (size_t i = 0; i < x.size(); i++) {
        if (x[i] <= -125.0f) {
            zero = zero && power[i] == 0.0f;
            continue;
        }
        const double exact = std::exp2((double)x[i]);
        const float near   = (float)exact;
        worst              = std::max(worst, std::abs(power[i] - exact) / (near - std::nextafter(near, 0.0f)));
    }
    check(worst <= 2.0, "powers are within two units in the last place");
    check(zero, "far below there is nothing");
}

static void instruction_sets() {
    std::mt19937 random(16);
    const auto all = all_row_passes();
    for (int round = 0; round < 400; round++) {
        Row row           = any_row(random);
        const size_t n    = row.size();
        const float top   = *std::max_element(row.begin(), row.end());
        const float scale = 1.0f / any_cuts(random).temperature;
        std::vector<float> sums(blocks_of(n)), maxima(blocks_of(n));
        all[0].sums(row.data(), n, top, scale, sums.data());
        all[0].maxima(row.data(), n, maxima.data());
        bool near = true;
        for (size_t b = 0; b < maxima.size(); b++) {
            const auto from = row.begin() + (std::ptrdiff_t)(b * BLOCK), to = row.begin() + (std::ptrdiff_t)std::min(n, (b + 1) * BLOCK);
            check(maxima[b] == *std::max_element(from, to), "the largest of a block");
            double sum = 0;
            for (auto at = from; at < to; at++) sum += (*at - top) * scale > -125.0f ? std::exp2((double)((*at - top) * scale)) : 0.0;
            near = near && std::abs(sums[b] - sum) <= 1e-6 * sum;
        }
        check(near, "a block's sum is that of double precision");
        for (const RowPasses & passes : all) {
            std::vector<float> other(blocks_of(n));
            passes.sums(row.data(), n, top, scale, other.data());
            check(std::memcmp(other.data(), sums.data(), other.size() * sizeof(float)) == 0, passes.instructions);
            passes.maxima(row.data(), n, other.data());
            check(std::memcmp(other.data(), maxima.data(), other.size() * sizeof(float)) == 0, passes.instructions);
        }
    }
    for (const RowPasses & passes : all) {
        for (const size_t n : { size_t(1), size_t(127), size_t(128), size_t(129), size_t(300) }) {
            Row row(n, -3e38f), maxima(blocks_of(n));
            check(passes.maxima(row.data(), n, maxima.data()), "large logits are finite");
            for (const float bad : { INF, -INF, std::nanf(""), -std::nanf("") }) {
                for (size_t at = 0; at < n; at++) {
                    row[at] = bad;
                    check(!passes.maxima(row.data(), n, maxima.data()), "a logit that is not finite is seen wherever it is");
                    row[at] = 3e38f;
                }
            }
        }
    }
}

// Rows read by several threads at once give what one thread gives.
static void side_by_side(const Vocabulary & vocabulary) {
    std::mt19937 random(17);
    std::vector<Row> rows;
    std::vector<SamplerParams> options;
    for (int i = 0; i < 40; i++) {
        rows.push_back(any_row(random));
        options.push_back(any_cuts(random));
    }
    const auto sampled = [&](int32_t n_threads) {
        Pool threads((size_t)n_threads);
        std::vector<Logits> logits(threads.size());
        std::vector<SamplerScratch> scratch(threads.size());
        std::vector<std::unique_ptr<Sampler>> samplers;
        for (const SamplerParams & given : options)
            samplers.push_back(std::make_unique<Sampler>(vocabulary, given, std::vector<llama_token>{}, nullptr, staying));
        std::vector<llama_token> tokens;
        for (size_t step = 0; step < 20; step++) {
            std::vector<llama_token> now(rows.size() + 1, -1);
            std::vector<int> times(rows.size());
            threads.for_each(rows.size(), [&](size_t i, size_t thread) {
                times[i]++;
                logits[thread].read(rows[i].data(), rows[i].size());
                now[i] = samplers[i]->sample(logits[thread], scratch[thread]);
            });
            check(times == std::vector<int>(rows.size(), 1), "every item is done once");
            tokens.insert(tokens.end(), now.begin(), now.end());
        }
        threads.for_each(0, [&](size_t, size_t) { check(false, "nothing to do is nothing done"); });
        return tokens;
    };
    {
        Pool threads(2);
        std::atomic<int> begun{ 0 };
        const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(2);
        threads.for_each(2, [&](size_t, size_t) { // neither ends before the other has begun
            begun++;
            while (begun < 2 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
        });
        check(std::chrono::steady_clock::now() < limit, "two threads work at once");
    }
    const auto alone = sampled(1);
    for (const int32_t n_threads : { 2, 3, 5 }) check(sampled(n_threads) == alone, "tokens do not depend on the number of threads");
}

void logit_rows(const Vocabulary & vocabulary) {
    powers();
    instruction_sets();
    greedy();
    cuts();
    cuts_of_llama();
    most_probable_ones();
    changes();
    seeds(vocabulary);
    logprobs();
    side_by_side(vocabulary);
}
