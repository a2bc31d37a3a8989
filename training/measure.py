"""Asks the model held-out questions as the engine would: greedy chains, chains at temperature 0.8, their vote of five,
and the most probable of the four letters."""

import argparse
import math

import numpy as np
import torch

from data import CHAIN, DIRECT, Dataset
from model import Cache, Mini


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--data", default="build/mini/data")
    parser.add_argument("--questions", type=int, default=600, help="at most so many of each layout")
    parser.add_argument("--layout", action="append", help="a layout by name, as often as wanted; default: the first")
    parser.add_argument("--all", action="store_true", help="every layout")
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = Dataset(args.data, "held-out")
    model = load(args.checkpoint, data)
    for layout in data.layouts if args.all else args.layout or data.layouts[:1]:
        show(layout, measure(model, data, layout, args.questions, samples=args.samples, seed=args.seed))


def show(layout, result):
    rows = result.pop("rows")
    print(f"{layout}: {len(rows['gold'])} questions")
    for name, value in result.items():
        n = rows["sampled"].size if name in ("sampled", "unparsed") else len(rows["gold"])
        print(f"  {name:9} {value:.3f}  95 % {interval(value, n)[0]:.3f} to {interval(value, n)[1]:.3f}")
    for score in sorted(set(rows["score"])):
        where = rows["score"] == score
        right = [(rows[kind][where].T == rows["gold"][where]).mean() for kind in ("greedy", "sampled", "vote", "top")]
        print(f"  {score:13} greedy {right[0]:.2f}  sampled {right[1]:.2f}  vote {right[2]:.2f}  top {right[3]:.2f}", flush=True)


def load(checkpoint, data):
    """The model of a checkpoint, ready to be asked about data with the same pieces."""
    state = torch.load(checkpoint)
    model = Mini(len(data.pieces), data.absent, **state["shape"])
    model.load_state_dict(state["model"])
    return model.eval()


@torch.no_grad()
def measure(model, data, layout, questions, samples=5, temperature=0.8, seed=0, new_tokens=200):
    """Fractions right on the first `questions` held-out questions of a layout, and what each of them answered."""
    bf16, model.bf16 = model.bf16, False
    chains, direct = data.kind(CHAIN, layout)[:questions], data.kind(DIRECT, layout)[:questions]
    gold = data.gold(chains)
    generator = torch.Generator().manual_seed(seed)
    greedy = answers(data, generate(model, data, chains, 0, generator, new_tokens))
    sampled = np.stack(
        [answers(data, generate(model, data, chains, temperature, generator, new_tokens)) for _ in range(samples)], 1
    )
    vote = np.array([majority(row) for row in sampled])
    top = top_letters(model, data, direct)
    model.bf16 = bf16
    return {
        "greedy": float((greedy == gold).mean()),
        "sampled": float((sampled == gold[:, None]).mean()),
        "vote": float((vote == gold).mean()),
        "top": float((top == gold).mean()),
        "unparsed": float((sampled < 0).mean()),
        "rows": {"gold": gold, "greedy": greedy, "sampled": sampled, "vote": vote, "top": top, "score": data.scores(chains)},
    }


@torch.no_grad()
def generate(model, data, rows, temperature, generator, new_tokens, together=100):
    """One continuation a prompt, as lists of local ids without the end token. Long prompts are fewer at once."""
    if len(rows) > together:
        parts = [rows[i : i + together] for i in range(0, len(rows), together)]
        return [out for part in parts for out in generate(model, data, part, temperature, generator, new_tokens)]
    prompts = [data.prompt(row) for row in rows]
    longest = max(len(p) for p in prompts)
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    pad = torch.tensor([longest - len(p) for p in prompts])
    for i, p in enumerate(prompts):
        ids[i, longest - len(p) :] = torch.from_numpy(p)
    hidden_keys = torch.arange(longest + new_tokens)[None, :] < pad[:, None]
    blocked = torch.zeros(hidden_keys.shape).masked_fill(hidden_keys, -1e9)[:, None, None, :]
    positions = (torch.arange(longest)[None, :] - pad[:, None]).clamp(min=0)
    causal = torch.full((longest, longest), -1e9).triu(1)
    cache = [Cache(len(prompts), model.heads, longest + new_tokens, model.dim // model.heads) for _ in model.blocks]
    logits = model(ids, positions, causal + blocked[..., :longest], cache)[:, -1]
    ends = torch.tensor([data.local(end) for end in data.about["ends"]])
    penalty = data.penalty(rows)[:, None]
    said = torch.zeros_like(logits)
    out = [[] for _ in prompts]
    live = torch.ones(len(prompts), dtype=torch.bool)
    for step in range(new_tokens):
        logits = logits - penalty * said
        if temperature == 0:
            token = logits.argmax(-1)
        else:
            token = torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=generator)[:, 0]
        said.scatter_add_(1, token[:, None], torch.ones(len(prompts), 1))
        live &= ~torch.isin(token, ends)
        if not live.any():
            break
        for i in torch.nonzero(live)[:, 0].tolist():
            out[i].append(int(token[i]))
        width = longest + step + 1
        logits = model(token[:, None], (width - 1 - pad)[:, None], blocked[..., :width], cache)[:, -1]
    return out


def answers(data, outputs):
    """The letter before ` ###` at the end of each output, 0 to 4, or -1."""
    letters = [data.local(token) for token in data.about["spacedLetters"]]
    stop = data.local(data.about["hashes"])
    found = []
    for output in outputs:
        letter = output[-2] if len(output) > 1 and output[-1] == stop else None
        found.append(letters.index(letter) if letter in letters else -1)
    return np.array(found)


def majority(row):
    """The letter with most votes; a tie goes to the one given first; -1 if none was given."""
    given = [a for a in row if a >= 0]
    return max(given, key=lambda a: (given.count(a), -given.index(a))) if given else -1


def top_letters(model, data, rows):
    """The most probable letter in place of the right one, on a new line or behind a blank as that."""
    best = []
    for row in rows:
        start, prompt = data.index[row, :2]
        offered = data.letters(data.ids[start + prompt])
        best.append(model(torch.from_numpy(data.prompt(row))[None])[0, -1, offered].argmax().item())
    return np.array(best)


def interval(p, n):
    """Wilson's 95 % interval of a fraction."""
    z = 1.959964
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


if __name__ == "__main__":
    main()
