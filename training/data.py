"""Reads what export-dataset.ts wrote: token ids renumbered to the pieces that occur, in batches of like length."""

import json
import os

import numpy as np
import torch

DIRECT, CHAIN, TREE = 0, 1, 2


class Dataset:
    def __init__(self, folder, name):
        with open(os.path.join(folder, "dataset.json"), encoding="utf-8") as file:
            self.about = json.load(file)
        self.pieces = np.array(self.about["pieces"])
        self.absent = self.about["vocabulary"] - len(self.pieces)
        ids = np.fromfile(os.path.join(folder, f"{name}.ids.bin"), dtype="<u2")
        self.ids = np.searchsorted(self.pieces, ids).astype(np.int64)
        with open(os.path.join(folder, f"{name}.json"), encoding="utf-8") as file:
            self.questions = json.load(file)
        # One row a sequence: where it starts, tokens of prompt, tokens in all, its kind, and the number of its question.
        self.index = np.fromfile(os.path.join(folder, f"{name}.index.bin"), dtype="<u4").reshape(-1, 5).astype(np.int64)
        lengths = np.fromfile(os.path.join(folder, f"{name}.branches.bin"), dtype="<u4")
        lengths = lengths.reshape(-1, self.about["branches"]).astype(np.int64)
        self.branches = dict(zip(self.kind(TREE), lengths))

    def local(self, token):
        """The number of a piece of the full vocabulary among those that occur."""
        return int(np.searchsorted(self.pieces, token))

    def kind(self, kind):
        return np.nonzero(self.index[:, 3] == kind)[0]

    def batch(self, rows):
        """ids, place, positions and branch, all [rows, longest]: `place` is -1 on the question, 1 on the answer, 0 on
        what is not learned; `branch` is 0 on what a tree's branches share, -1 on padding."""
        longest = max(self.index[rows, 2])
        ids, place, positions = (np.zeros((len(rows), longest), dtype=np.int64) for _ in range(3))
        branch = np.full((len(rows), longest), -1)
        for i, row in enumerate(rows):
            start, prompt, length, kind = self.index[row, :4]
            ids[i, :length] = self.ids[start : start + length]
            positions[i, :length] = np.arange(length)
            branch[i, :length] = 0
            place[i, :prompt], place[i, prompt:length] = -1, 1
            if kind == TREE:
                self.fork(row, place[i], positions[i], branch[i])
        return tuple(torch.from_numpy(a) for a in (ids, place, positions, branch))

    def fork(self, row, place, positions, branch):
        """Each branch goes on where the prompt ends, and is learned for its letter and the end of its turn only."""
        at = prompt = self.index[row, 1]
        for number, length in enumerate(self.branches[row], 1):
            place[at : at + length - 2] = 0
            positions[at : at + length] = np.arange(prompt, prompt + length)
            branch[at : at + length] = number
            at += length

    def copies(self, rows, length, rng):
        """An exercise in copying: random pieces that repeat with a period of their own, as `batch` gives them. Few different
        pieces make it necessary to look at more than the last one."""
        ids = np.empty((rows, length), dtype=np.int64)
        place = np.ones_like(ids)
        for i in range(rows):
            period = rng.integers(8, length // 2)
            known = rng.integers(0, len(self.pieces), rng.integers(4, 128))
            ids[i] = np.resize(rng.choice(known, period), length)
            place[i, :period] = 0
        positions = np.broadcast_to(np.arange(length), ids.shape).copy()
        return tuple(torch.from_numpy(a) for a in (ids, place, positions, np.zeros_like(ids)))

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
