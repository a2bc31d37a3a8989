"""Reads the weights of a packed model back into a checkpoint, to go on training it on data with more pieces (train.py --begin).

Needs the package `gguf`. Rows of pieces that the packed model never saw, which are all alike in it, are drawn anew."""

import argparse

import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize

from data import Dataset


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a file that pack.ts wrote")
    parser.add_argument("--data", default="build/mini/data")
    parser.add_argument("--out", default="build/mini/begin.pt")
    parser.add_argument("--seed", type=int, default=20231127)
    args = parser.parse_args()
    reader = GGUFReader(args.model)
    tensors = {t.name: torch.from_numpy(dequantize(t.data, t.tensor_type).copy()).float() for t in reader.tensors}
    pieces = Dataset(args.data, "held-out").pieces
    rows = tensors.pop("token_embd.weight")
    model = {"embedding": embedding(rows, pieces, np.random.default_rng(args.seed))}
    model["norm"] = tensors.pop("output_norm.weight")
    for name, tensor in tensors.items():
        model[name.replace("blk.", "blocks.").removesuffix(".weight")] = tensor
    layers = 1 + max(int(name.split(".")[1]) for name in model if name.startswith("blocks."))
    dim, hidden = model["norm"].shape[0], model["blocks.0.ffn_gate"].shape[0]
    shape = dict(dim=dim, layers=layers, heads=dim // 32, hidden=hidden)
    torch.save(dict(shape=shape, model=model, tokens=field(reader, "tokens"), steps=field(reader, "steps")), args.out)


def embedding(rows, pieces, rng):
    """The rows of the pieces and one for all absent; a row that is that of the absent is of a piece never seen."""
    absent = rows.mode(0).values
    known = (rows != absent).any(1)
    mean, deviation = rows[known].mean(0), rows[known].std(0)
    fresh = torch.from_numpy(rng.standard_normal((len(pieces), rows.shape[1]))).float() * deviation + mean
    chosen = torch.where(known[pieces, None], rows[pieces], fresh)
    print(f"{int(known.sum())} pieces known, {int((~known[pieces]).sum())} new")
    return torch.cat([chosen, absent[None]])


def field(reader, name):
    return int(reader.fields[f"meditron.training.{name}"].parts[-1][0])


if __name__ == "__main__":
    main()
