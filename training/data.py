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
        # One row a sequence: where it starts, tokens of prompt, tokens in all, its kind, the numbers of its question and of its
        # layout, tokens of its answer.
        self.index = np.fromfile(os.path.join(folder, f"{name}.index.bin"), dtype="<u4").reshape(-1, 7).astype(np.int64)
        self.layouts = [layout["name"] for layout in self.about["layouts"]]
        self.penalties = np.array([layout["penalty"] for layout in self.about["layouts"]], dtype=np.float32)
        lengths = np.fromfile(os.path.join(folder, f"{name}.branches.bin"), dtype="<u4")
        lengths = lengths.reshape(-1, self.about["branches"]).astype(np.int64)
        self.branches = dict(zip(self.kind(TREE), lengths))

    def local(self, token):
        """The number of a piece of the full vocabulary among those that occur."""
        return int(np.searchsorted(self.pieces, token))

    def kind(self, kind, layout=None):
        """The rows of a kind, of one layout or of all."""
        rows = self.index[:, 3] == kind
        return np.nonzero(rows if layout is None else rows & (self.index[:, 5] == self.layouts.index(layout)))[0]

    def gold(self, rows):
        return np.array([self.questions[question]["answer"] for question in self.index[rows, 4]])

    def scores(self, rows):
        return np.array([self.questions[question]["score"] for question in self.index[rows, 4]])

    def letters(self, like):
        """The five letters as pieces, with a blank before them or without, as the one given."""
        for kind in ("letters", "spacedLetters"):
            pieces = [self.local(token) for token in self.about[kind]]
            if like in pieces:
                return pieces
        raise ValueError(f"no letter: {like}")

    def penalty(self, rows):
        """The frequency penalty under which these sequences are generated."""
        return torch.from_numpy(self.penalties[self.index[rows, 5]])

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
        """Each branch goes on where the prompt ends, and is learned for its answer only."""
        at = prompt = self.index[row, 1]
        answer = self.index[row, 6]
        for number, length in enumerate(self.branches[row], 1):
            place[at : at + length - answer] = 0
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
    """Batches of about `tokens` tokens without end: each pass in a new order, sequences of like length together."""

    def __init__(self, data, rows, tokens, seed):
        self.data, self.rows, self.tokens = data, rows, tokens
        self.rng = np.random.default_rng(seed)
        self.queue = []

    def next(self):
        if not self.queue:
            order = self.rng.permutation(self.rows)
            for i in range(0, len(order), 2048):
                cut = self.cut(order[i : i + 2048])
                self.queue.extend(cut[i] for i in self.rng.permutation(len(cut)))
            self.queue.reverse()
        return self.queue.pop()

    def cut(self, pool):
        """A pool in batches, each as wide as its longest sequence; the last one is left out unless it is full."""
        lengths = self.data.index[pool, 2]
        pool = pool[np.argsort(lengths, kind="stable")]
        batches, first = [], 0
        for end in range(1, len(pool) + 1):
            longest = self.data.index[pool[end - 1], 2]
            if (end - first + 1) * longest > self.tokens:
                batches.append(pool[first:end])
                first = end
        return batches
