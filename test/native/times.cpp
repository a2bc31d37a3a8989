// How long one sample takes, beside llama.cpp's own chain.
#include "chain.h"
#include "check.h"
#include "pool.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>

static std::atomic<bool> staying{ false };

// As a language model's: most of the vocabulary far below a few dozen tokens.
static std::vector<float> peaked_row(size_t n) {
    std::mt19937 random(3);
    std::normal_distribution<float> bulk(0.0f, 2.0f), head(10.0f, 3.0f);
    std::vector<float> row(n);
    for (float & logit : row) logit = bulk(random);
    for (int i = 0; i < 50; i++) row[random() % n] = head(random);
    return row;
}

static std::vector<float> flat_row(size_t n) {
    std::mt19937 random(4);
    std::normal_distribution<float> normal;
    std::vector<float> row(n);
    for (float & logit : row) logit = normal(random);
    return row;
}

static float log_softmax(const std::vector<float> & logits, llama_token token) {
    const float max = *std::max_element(logits.begin(), logits.end());
    double sum      = 0.0;
    for (const float logit : logits) sum += std::exp((double)(logit - max));
    return (float)((double)(logits[(size_t)token] - max) - std::log(sum));
}

struct Times {
    double least, median;
};

static Times times(const std::function<void()> & work) {
    std::vector<double> all;
    const auto start = std::chrono::steady_clock::now();
    while (all.size() < 20 || (all.size() < 2000 && std::chrono::steady_clock::now() - start < std::chrono::milliseconds(400))) {
        const auto from = std::chrono::steady_clock::now();
        work();
        all.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - from).count());
    }
    std::sort(all.begin(), all.end());
    return { all.front(), all[all.size() / 2] };
}

// Temperature 0.8 with log-probabilities, as a step of the decode loop does it.
static void times_of_steps(const Vocabulary & vocabulary) {
    std::printf("microseconds a step of several rows, 0.8, logprobs: least (median)\n");
    for (const size_t n : { size_t(32'017), size_t(128'256) }) {
        const std::vector<float> row = peaked_row(n);
        for (const int32_t n_threads : { 1, 2 }) {
            Pool threads((size_t)n_threads);
            std::vector<Logits> logits(threads.size());
            std::vector<SamplerScratch> scratch(threads.size());
            for (const size_t rows : { 1, 2, 3, 5, 8, 20 }) {
                std::vector<std::unique_ptr<Sampler>> samplers;
                SamplerParams params;
                params.temperature = 0.8f;
                for (; samplers.size() < rows; params.seed++)
                    samplers.push_back(std::make_unique<Sampler>(vocabulary, params, std::vector<llama_token>{}, nullptr, staying));
                std::vector<float> logprobs(rows);
                const Times step = times([&] {
                    threads.for_each(rows, [&](size_t i, size_t thread) {
                        logits[thread].read(row.data(), n);
                        logprobs[i] = logits[thread].logprob(samplers[i]->sample(logits[thread], scratch[thread]));
                    });
                });
                std::printf("%6zu  %2zu rows on %d threads %7.1f (%7.1f)\n", n, rows, n_threads, step.least, step.median);
            }
        }
    }
}

void sampling_times(const Vocabulary & vocabulary) {
    times_of_steps(vocabulary);
    struct Case {
        const char * name;
        float temperature, top_p, min_p;
        int32_t top_k;
        float frequency_penalty;
        bool logprobs;
    };
    static const Case cases[] = {
        { "greedy", 0, 1, 0, 0, 0, false },
        { "greedy, logprobs", 0, 1, 0, 0, 0, true },
        { "0.8", 0.8f, 1, 0, 0, 0, false },
        { "0.8, logprobs", 0.8f, 1, 0, 0, 0, true },
        { "1.0, logprobs", 1.0f, 1, 0, 0, 0, true },
        { "0.8, top-p 0.9", 0.8f, 0.9f, 0, 0, 0, false },
        { "0.8, top-k 40", 0.8f, 1, 0, 40, 0, false },
        { "0.8, top-k 1000", 0.8f, 1, 0, 1000, 0, false },
        { "0.8, min-p 0.05", 0.8f, 1, 0.05f, 0, 0, false },
        { "0.8, top-k 40, top-p 0.9, logprobs", 0.8f, 0.9f, 0, 40, 0, true },
        { "0.8, frequency 0.5, logprobs", 0.8f, 1, 0, 0, 0.5f, true },
    };
    std::printf("instructions: %s\nmicroseconds a sample: least (median), llama.cpp's chain -> ours\n", row_passes().instructions);
    for (const size_t n : { size_t(32'017), size_t(128'256) }) {
        for (const bool peaked : { true, false }) {
            const std::vector<float> row = peaked ? peaked_row(n) : flat_row(n);
            for (const Case & given : cases) {
                SamplerParams params;
                params.temperature       = given.temperature;
                params.top_p             = given.top_p;
                params.min_p             = given.min_p;
                params.top_k             = given.top_k;
                params.frequency_penalty = given.frequency_penalty;
                Chain chain(params, (int32_t)n);
                float sum          = 0.0f;
                const Times theirs = times([&] {
                    const llama_token token = chain.sample(row);
                    if (given.logprobs) sum += log_softmax(row, token);
                });
                std::unique_ptr<Sampler> sampler;
                size_t drawn = 0;
                Logits logits;
                SamplerScratch scratch;
                const Times ours = times([&] {
                    if (drawn++ % 200 == 0) // as long as a chain: with penalties it costs more the more tokens have come
                        sampler = std::make_unique<Sampler>(vocabulary, params, std::vector<llama_token>{}, nullptr, staying);
                    logits.read(row.data(), n);
                    const llama_token token = sampler->sample(logits, scratch);
                    if (given.logprobs) sum += logits.logprob(token);
                });
                std::printf("%6zu %s  %-36s %7.0f (%7.0f) -> %6.1f (%6.1f)%s\n", n, peaked ? "peaked" : "flat  ", given.name, theirs.least,
                            theirs.median, ours.least, ours.median, std::isnan(sum) ? " ?" : "");
            }
        }
    }
}
