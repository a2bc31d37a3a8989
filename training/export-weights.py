"""Writes the weights of a checkpoint as plain float32 with a list of what is where, for pack.ts."""

import argparse
import json
import os

import torch

from data import Dataset


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--data", default="build/mini/data")
    parser.add_argument("--begin", help="the checkpoint of unpack.py that the training began with, whose steps count too")
    parser.add_argument("--out", default="build/mini/weights")
    args = parser.parse_args()
    state = torch.load(args.checkpoint)
    os.makedirs(args.out, exist_ok=True)
    tensors, offset = {}, 0
    with open(os.path.join(args.out, "weights.bin"), "wb") as file:
        for name, tensor in state["model"].items():
            values = tensor.contiguous().numpy().astype("<f4")
            file.write(values.tobytes())
            tensors[name] = {"offset": offset, "shape": list(values.shape)}
            offset += values.size
    about = Dataset(args.data, "held-out").about
    manifest = {
        "shape": state["shape"],
        "step": state["step"] + (torch.load(args.begin)["steps"] if args.begin else 0),
        "tokens": state["tokens"],
        "seed": state["seed"],
        "datasetSeed": about["seeds"]["train"],
        "vocabulary": about["vocabulary"],
        "pieces": about["pieces"],
        "tensors": tensors,
    }
    with open(os.path.join(args.out, "weights.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file)


if __name__ == "__main__":
    main()
