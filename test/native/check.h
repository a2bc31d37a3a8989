#pragma once

#include "vocabulary.h"

// Counts a promise as kept or broken, and prints a broken one.
void check(bool ok, const char * promise);

// Grammars against llama.cpp's own matcher, and without any that does not end.
void grammar_properties(const Vocabulary & vocabulary);

// What is drawn against the probabilities that a plain reference gives.
void sampling_order(const Vocabulary & vocabulary);

// Rows of logits, their cuts and what is drawn of them, against double precision and llama.cpp.
void logit_rows(const Vocabulary & vocabulary);

// Prints how long a sample takes, beside llama.cpp's chain.
void sampling_times(const Vocabulary & vocabulary);

// Texts in pieces against texts in one, for the vocabularies in a folder.
void long_texts(const std::string & folder);

// The choice of threads, on simulated machines.
void threads_follow_the_machine();

// What is computed against the number of threads that compute it: of the model in a file. `most`: on up to four, behind 2,000 tokens too.
void any_number_of_threads(const char * path, bool most);

// Linux: what is mapped of a file for reading is found, its pages can be let go and come back, and are read ahead.
void file_pages(const std::string & path);

// Linux: memory that was taken is supplied, and what has been written into it stays.
void memory_ahead();

// Products by our own kernels against the CPU backend's.
void own_products();
