"""Writes what PyTorch answers greedily to a few held-out prompts, for compare.ts to hold against llama.cpp."""

import argparse
import json

import torch

from data import CHAIN, Dataset
from measure import generate, load


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--data", default="build/mini/data")
    parser.add_argument("--out", default="build/mini/greedy.json")
    parser.add_argument("--count", type=int, default=12)
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = Dataset(args.data, "held-out")
    model = load(args.checkpoint, data)
    rows = data.kind(CHAIN, data.layouts[0])[: args.count]
    outputs = generate(model, data, rows, 0, torch.Generator(), 150)
    pairs = [
        {"prompt": data.pieces[data.prompt(row)].tolist(), "output": data.pieces[output].tolist()}
        for row, output in zip(rows, outputs)
    ]
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump(pairs, file)


if __name__ == "__main__":
    main()
