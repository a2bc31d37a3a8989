"""Reads what export-dataset.ts wrote: token ids renumbered to the pieces that occur, in batches of like length."""

import json
import os

import numpy as np
import torch


class Dataset:
    def __init__(self, folder, name):
        with open(os.path.join(folder, "dataset.json"), encoding="utf-8") as file:
            self.about = json.load(file)
        self.pieces = np.array(self.about["pieces"])
        self.absent = self.about["vocabulary"] - len(self.pieces)
        ids = np.fromfile(os.path.join(folder, f"{name}.ids.bin"), dtype="<u2")
        self.ids = np.searchsorted(self.pieces, ids).astype(np.int64)
        # One row a sequence: where it starts, tokens of prompt, tokens in all, 1 for a chain and 0 for a direct answer,
        # and the number of its question.
        with open(os.path.join(folder, f"{name}.json"), encoding="utf-8") as file:
            self.questions = json.load(file)
        self.index = np.fromfile(os.path.join(folder, f"{name}.index.bin"), dtype="<u4").reshape(-1, 5).astype(np.int64)

    def local(self, token):
        """The number of a piece of the full vocabulary among those that occur."""
        return int(np.searchsorted(self.pieces, token))

    def kind(self, chain):
        return np.nonzero(self.index[:, 3] == int(chain))[0]

    def batch(self, rows, letter_weight=1):
        """ids [rows, longest] and weights of the same shape: -1 on the question, 0 on padding, 1 on the answer but for
        the letter that a chain ends in, which is one token of fifty and the one that counts."""
        return self.padded([self.sequence(row, letter_weight) for row in rows])

    def sequence(self, row, letter_weight):
        start, prompt, length, chain = self.index[row, :4]
        place = np.ones(length, dtype=np.float32)
        place[:prompt] = -1
        if chain:
            place[-3] = letter_weight  # then ` ###` and the end of the turn
        return self.ids[start : start + length], place

    def padded(self, sequences):
        longest = max(len(ids) for ids, _ in sequences)
        both = np.zeros((2, len(sequences), longest))
        for i, (ids, place) in enumerate(sequences):
            both[0, i, : len(ids)], both[1, i, : len(ids)] = ids, place
        return torch.from_numpy(both[0].astype(np.int64)), torch.from_numpy(both[1].astype(np.float32))

    def drills(self, rows, rng, times=8):
        """The last step of a chain alone, over and over: the options without a vignette, then `Total 5.`, the answer
        phrase and the letter for options drawn at random, with weight on the letters only."""
        return self.padded([self.drill(row, rng, times) for row in rows])

    def drill(self, row, rng, times):
        start, prompt, length = self.index[row, :3]
        ids = self.ids[start : start + length]
        question = self.where(ids, "question", 0) + 2  # after `Question:`
        options = self.where(ids, "options", 0)
        choices = self.choices(ids[options + 3 : prompt])
        total, phrase = ids[self.where(ids[prompt:], "total", -1) + prompt], ids[-9:-3]  # `.⏎The answer is:`
        parts = [ids[:question], ids[options - 2 : prompt]]
        marks = [np.zeros(len(part)) for part in parts]
        for choice in rng.integers(4, size=times):
            asked = np.concatenate([[total], choices[choice], phrase])
            answer = [self.local(self.about["spacedLetters"][choice]), *ids[-2:-1]]
            parts += [asked, answer]
            marks += [np.zeros(len(asked)), [1, 0]]
        return np.concatenate(parts), np.concatenate(marks)

    def choices(self, ids):
        """The ids of the four numbers in lines like `A. 5`."""
        found, newline = [], self.local(13)
        for _ in range(4):
            end = int(np.nonzero(ids == newline)[0][0])
            found.append(ids[2:end])
            ids = ids[end + 1 :]
        return found

    def where(self, ids, word, which):
        return int(np.nonzero(np.isin(ids, [self.local(token) for token in self.about["words"][word]]))[0][which])

    def prompt(self, row):
        start, prompt = self.index[row, :2]
        return self.ids[start : start + prompt]


class Batches:
    """Batches of rows without end: each pass in a new order, sequences of like length together."""

    def __init__(self, data, rows, size, seed):
        self.data, self.rows, self.size = data, rows, size
        self.rng = np.random.default_rng(seed)
        self.queue = []

    def next(self):
        if not self.queue:
            order = self.rng.permutation(self.rows)
            pools = [order[i : i + 64 * self.size] for i in range(0, len(order), 64 * self.size)]
            for pool in pools:
                pool = pool[np.argsort(self.data.index[pool, 2], kind="stable")]
                cut = [pool[i : i + self.size] for i in range(0, len(pool) - self.size + 1, self.size)]
                self.queue.extend(cut[i] for i in self.rng.permutation(len(cut)))
            self.queue.reverse()
        return self.queue.pop()
