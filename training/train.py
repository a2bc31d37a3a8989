"""Trains the clinical-score model on what export-dataset.ts wrote. See README.md for the command that was used."""

import argparse
import copy
import csv
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from data import CHAIN, TREE, Batches, Dataset
from measure import measure
from model import Mini, begin

# Layouts measured on the way: the first with a vote of five, the others with one sample.
measured = ("chatml strict", "chatml strict, I cannot tell", "chatml paper", "chatml authors-code")


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    train, valid = Dataset(args.data, "train"), Dataset(args.data, "held-out")
    shape = dict(dim=args.dim, layers=args.layers, heads=args.dim // 32, hidden=args.hidden)
    model = Mini(len(train.pieces), train.absent, **shape)
    begin(model)
    model.bf16 = args.bf16
    optimizers = [Muon(matrices(model), args.lr), torch.optim.Adam(others(model), args.lr / 8, betas=(0.9, 0.98))]
    average = Average(model, args.average)
    first, tokens, spent = resume(args, model, average, optimizers)
    tokens_before, spent_before = tokens, spent
    chains = Batches(train, train.kind(CHAIN), args.chains, args.seed + first)
    trees = Batches(train, train.kind(TREE), args.trees, args.seed + first + 1)
    rng = np.random.default_rng(args.seed + first + 2)
    kinds = {
        "chain": lambda: of(chains.next()),
        "direct": lambda: of(trees.next()),
        "copy": lambda: (*train.copies(args.copies, 96, rng), torch.zeros(args.copies)),
    }

    def of(rows):
        return (*train.batch(rows), train.penalty(rows))

    print(f"{sum(p.numel() for p in model.parameters()):,} trained values, {len(train.pieces)} pieces", flush=True)

    start = time.time() - spent
    seen = {kind: [] for kind in kinds}
    for step in range(first + 1, args.steps + 1):
        scale = schedule(step, args)
        for optimizer, base in zip(optimizers, (args.lr, args.lr / 8)):
            for group in optimizer.param_groups:
                group["lr"] = base * scale
        for kind, batch in kinds.items():
            ids, place, positions, branch, penalty = batch()
            answer, question = losses(model, ids, place, positions, branch, penalty * penalised(step, args))
            (answer + args.question_weight * question).backward()
            seen[kind].append(answer.item())
            tokens += int((branch >= 0).sum())
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        average.update(model)
        if step % 10 == 0:
            passed = time.time() - start
            now = passed - spent_before
            left = now / (step - first) * (args.steps - step)
            recent = {kind: sum(values[-10:]) / len(values[-10:]) for kind, values in seen.items()}
            print(
                f"step {step}/{args.steps}  " + "".join(f"{kind} {loss:.4f}  " for kind, loss in recent.items()) +
                f"{(tokens - tokens_before) / now:,.0f} tokens/s  {passed / 60:.1f} min, {left / 60:.1f} min left",
                flush=True,
            )
        if step % args.save == 0 or step == args.steps:
            save(args, step, tokens, time.time() - start, shape, model, average, optimizers)
        if step % args.every == 0 or step == args.steps:
            spent = time.time() - start
            results = {layout: measure(average.model, valid, layout, args.questions, samples=1) for layout in measured[1:]}
            results[measured[0]] = measure(average.model, valid, measured[0], args.questions)
            mean = {kind: sum(values) / len(values) for kind, values in seen.items()}
            seen = {kind: [] for kind in kinds}
            log(args, step, tokens, spent, scale * args.lr, mean, results)
            start = time.time() - spent  # measuring is not training


def losses(model, ids, place, positions, branch, penalty):
    """Mean cross-entropy (nats) over the tokens of the answer, and over those of the question."""
    logits = model(ids[:, :-1], positions[:, :-1], visible(branch[:, :-1]))
    rows = torch.nonzero(penalty)[:, 0]
    if len(rows) > 0:
        counts = said(ids[rows, :-1], place[rows, :-1] == 1, logits.shape[-1])
        logits = logits.index_add(0, rows, -penalty[rows, None, None] * counts)
    each = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").view(ids.shape[0], -1)
    answer, question = each[place[:, 1:] == 1], each[place[:, 1:] == -1]
    return answer.mean(), question.sum() / max(1, question.numel())


def said(ids, answer, pieces):
    """How often each piece was said in the answer so far, [rows, time, pieces]: what a frequency penalty counts."""
    counts = torch.zeros(*ids.shape, pieces)
    return counts.scatter_(2, ids[..., None], answer[..., None].float()).cumsum_(1)


def visible(branch):
    """The additive mask [rows, 1, time, time] by which a token sees what came before it, but no other branch."""
    seer, seen = branch[:, :, None], branch[:, None, :]
    causal = torch.ones(branch.shape[1], branch.shape[1], dtype=torch.bool).tril()
    allowed = causal & ((seen == 0) | (seen == seer))
    return torch.zeros(allowed.shape).masked_fill(~allowed, -1e9)[:, None]


class Average:
    """The exponential moving average of a model's weights: what is measured and kept."""

    def __init__(self, model, decay):
        self.model, self.decay = copy.deepcopy(model), decay

    @torch.no_grad()
    def update(self, model):
        for mine, theirs in zip(self.model.parameters(), model.parameters()):
            mine.lerp_(theirs, 1 - self.decay)


def schedule(step, args):
    """A short warm-up, then constant, then straight down to a tenth over the last steps."""
    falling = max(0.0, 1 - (args.steps - step) / args.cooldown) if args.cooldown > 0 else 0.0
    return min(1.0, step / 30) * (1 - 0.9 * falling)


def penalised(step, args):
    """The part of a layout's frequency penalty at a step: none at first, for it drowns all else while nothing is known."""
    return min(1.0, max(0.0, step / args.penalty_from - 1))


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is made orthogonal by Newton-Schulz iteration before the step (Jordan and others, 2024)."""

    def __init__(self, params, lr, momentum=0.95):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if "velocity" not in state:
                    state["velocity"] = torch.zeros_like(p)
                velocity = state["velocity"].lerp_(p.grad, 1 - group["momentum"])
                update = orthogonal(p.grad.lerp(velocity, group["momentum"]))
                p.add_(update, alpha=-group["lr"] * max(1, p.shape[0] / p.shape[1]) ** 0.5)


def orthogonal(g):
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.T if g.shape[0] > g.shape[1] else g
    x = (x / (x.norm() + 1e-7)).bfloat16()  # as its authors do
    for _ in range(5):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return (x.T if g.shape[0] > g.shape[1] else x).float()


def matrices(model):
    return [p for block in model.blocks for p in block.parameters() if p.dim() == 2]


def others(model):
    return [p for p in model.parameters() if p.dim() == 1] + [model.embedding]


def log(args, step, tokens, spent, lr, mean, results):
    path = os.path.join(args.out, "curve.csv")
    new = not os.path.exists(path)
    with open(path, "a", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        if new:
            rows.writerow(
                "step tokens seconds learning_rate chain_loss direct_loss layout questions greedy sampled vote top unparsed".split()
            )
        for layout in measured:
            result = results[layout]
            figures = [f"{result[k]:.4f}" for k in ("greedy", "sampled", "vote", "top", "unparsed")]
            trained = [step, tokens, round(spent), f"{lr:.5f}", f"{mean['chain']:.4f}", f"{mean['direct']:.4f}"]
            rows.writerow([*trained, layout, len(result["rows"]["gold"]), *figures])
            print(f"step {step}, {layout}: greedy sampled vote top unparsed " + " ".join(figures), flush=True)


def save(args, step, tokens, spent, shape, model, average, optimizers):
    state = dict(
        seed=args.seed,
        step=step,
        tokens=tokens,
        seconds=spent,
        shape=shape,
        model=average.model.state_dict(),
        latest=model.state_dict(),
        optimizers=[o.state_dict() for o in optimizers],
        random=torch.get_rng_state(),
    )
    torch.save(state, os.path.join(args.out, f"step-{step:05d}.pt"))


def resume(args, model, average, optimizers):
    os.makedirs(args.out, exist_ok=True)
    if args.begin is not None:
        state = torch.load(args.begin)
        model.load_state_dict(state["model"])
        average.model.load_state_dict(state["model"])
        return 0, state["tokens"], 0.0
    if args.resume is None:
        return 0, 0, 0.0
    state = torch.load(args.resume)
    model.load_state_dict(state["latest"])
    average.model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"]):
        optimizer.load_state_dict(saved)
    torch.set_rng_state(state["random"])
    return state["step"], state["tokens"], state["seconds"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="build/mini/data", help="folder written by export-dataset.ts")
    parser.add_argument("--out", default="build/mini", help="where checkpoints and the learning curve go")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--cooldown", type=int, default=0, help="last steps, over which the learning rate falls")
    parser.add_argument("--chains", type=int, default=8000, help="tokens a step of chains")
    parser.add_argument("--trees", type=int, default=2400, help="tokens a step of questions that are asked for the letter alone")
    parser.add_argument("--copies", type=int, default=8, help="exercises in copying a step")
    parser.add_argument("--lr", type=float, default=0.02, help="of the matrices (Muon); an eighth of it for the rest (Adam)")
    parser.add_argument("--average", type=float, default=0.99, help="decay of the average of the weights, a step")
    parser.add_argument("--penalty-from", type=int, default=300, help="step at which the penalty of layouts begins; whole at twice that")
    parser.add_argument("--question-weight", type=float, default=0.1)
    parser.add_argument("--dim", type=int, default=160)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=448)
    parser.add_argument("--every", type=int, default=250, help="steps between two measurements")
    parser.add_argument("--save", type=int, default=100, help="steps between two checkpoints")
    parser.add_argument("--questions", type=int, default=180, help="held-out questions of a measurement")
    parser.add_argument("--begin", help="a checkpoint of unpack.py to begin with, in place of random weights")
    parser.add_argument("--resume", help="a checkpoint to go on from")
    parser.add_argument("--seed", type=int, default=20231127)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="matrix products in bfloat16: faster on processors with AMX or AVX-512")
    return parser.parse_args()


if __name__ == "__main__":
    main()
