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

    def far(self, rows, rng):
        """Direct answers whose three wrong options are 6 to 9 where the right one is at most 5: what is never right is
        learned first, what is right less often only then. Rows that cannot be changed so are left out."""
        changed = [self.changed(row, rng) for row in rows]
        return self.padded([sequence for sequence in changed if sequence is not None])

    def changed(self, row, rng):
        ids, place = self.sequence(row, 1)
        ids, digits = ids.copy(), [self.local(token) for token in self.about["digits"]]
        numbers = self.numbers(ids)
        gold = [self.local(token) for token in self.about["letters"]].index(ids[-2])
        if any(stop - start != 2 or ids[start + 1] not in digits for start, stop in numbers):
            return None  # a space and one digit only
        if digits.index(ids[numbers[gold][0] + 1]) > 5:
            return None
        wrong = iter(rng.permutation([6, 7, 8, 9]))
        for i, (start, _) in enumerate(numbers):
            if i != gold:
                ids[start + 1] = digits[next(wrong)]
        return ids, place

    def numbers(self, ids):
        """Where the numbers of the four lines like `A. 5` begin and end."""
        found, at = [], self.where(ids, "options", 0) + 3
        for _ in range(4):
            end = at + int(np.nonzero(ids[at:] == self.local(self.about["newline"]))[0][0])
            found.append((at + 2, end))
            at = end + 1
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
