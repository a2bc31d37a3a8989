"""The llama architecture as llama.cpp computes it, small: RMS norm, rotary positions on neighbouring pairs, SwiGLU.

The vocabulary is the pieces that occur in the data plus one row that stands for all that never do. The tied output
adds log(count) to that row's logit, so that the probabilities are those of the full vocabulary in which every absent
piece has a copy of the row.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

RMS_EPS = 1e-5
ROPE_BASE = 10000.0


class Mini(nn.Module):
    def __init__(self, pieces, absent, dim=128, layers=4, heads=4, hidden=384):
        super().__init__()
        self.dim, self.heads, self.layers, self.hidden = dim, heads, layers, hidden
        self.absent = absent
        self.bf16 = False
        self.embedding = nn.Parameter(torch.randn(pieces + 1, dim) * 0.05)  # the last row: every absent piece
        self.blocks = nn.ModuleList(Block(dim, heads, hidden) for _ in range(layers))
        self.norm = nn.Parameter(torch.ones(dim))

    def forward(self, ids, positions=None, mask=None, cache=None):
        """ids [batch, time] -> logits [batch, time, pieces + 1]. Without `mask`, attention is causal over the batch."""
        if positions is None:
            positions = torch.arange(ids.shape[1]).expand(ids.shape)
        if mask is None:
            mask = torch.full((ids.shape[1], ids.shape[1]), -math.inf).triu(1)
        if self.bf16:
            mask = mask.bfloat16()
        rotation = rotations(positions, self.dim // self.heads)
        x = self.embedding[ids]
        for i, block in enumerate(self.blocks):
            x = block(x, rotation, mask, None if cache is None else cache[i], self.bf16)
        return self.logits(x)

    def logits(self, x):
        logits = linear(rms_norm(x, self.norm), self.embedding, self.bf16)
        return torch.cat([logits[..., :-1], logits[..., -1:] + math.log(self.absent)], -1)


@torch.no_grad()
def begin(model, shared=0.2, strength=1.3, write=0.1):
    """Lets the model begin with a circuit that copies: what followed the last tokens when they stood here before. The task is
    copying and adding, and from random weights a model this small takes most of its training to find out about copying.

    Three heads of the first layer look one, two and three tokens back and write what they see to places of their own (for
    the position, all pieces share a first coordinate). Two heads of the second layer compare the last three tokens here
    with the three before every other token, in the coordinates that rotate slowly, and write the token of the best match.
    """
    dim, width = model.dim, model.dim // model.heads
    first, second = model.blocks[:2]
    model.embedding[:-1, 0] = shared
    model.embedding[-1, 0] = -2.5  # absent pieces are improbable from the beginning
    frequency = ROPE_BASE ** (-torch.arange(0, 8, 2) / width)
    seen = orthonormal(dim, width)
    seen[0] = 0
    places = orthonormal(dim, 3 * width).split(width, 1)
    for head, place in enumerate(places):
        rows, fast = slice(head * width, (head + 1) * width), slice(head * width, head * width + 8)
        turn = (head + 1) * frequency
        for weights in (first.attn_q, first.attn_k):
            weights[rows] *= 0.1
        first.attn_q[fast, 0] = strength * torch.stack([torch.cos(turn), -torch.sin(turn)], 1).flatten()
        first.attn_k[fast, 0] = strength * torch.tensor([1.0, 0.0] * 4)
        first.attn_v[rows] = seen.T
        first.attn_output[:, rows] = write * place
    for head in range(2):
        rows, slow = slice(head * width, (head + 1) * width), slice(head * width + width // 2, (head + 1) * width)
        for weights in (second.attn_q, second.attn_k):
            weights[rows] *= 0.1
        mixed = [torch.randn(width // 2, width) / math.sqrt(width) for _ in places]
        second.attn_q[slow] = sum(m @ p.T for m, p in zip(mixed, (2 * seen, places[0], places[1])))
        second.attn_k[slow] = sum(m @ p.T for m, p in zip(mixed, places))
        token = orthonormal(dim, width)
        second.attn_v[rows] = token.T
        second.attn_output[:, rows] = 0.3 * token


def orthonormal(dim, count):
    return torch.linalg.qr(torch.randn(dim, count))[0]


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.heads = heads
        self.attn_norm = nn.Parameter(torch.ones(dim))
        self.attn_q = matrix(dim, dim)
        self.attn_k = matrix(dim, dim)
        self.attn_v = matrix(dim, dim)
        self.attn_output = matrix(dim, dim, 0.03)
        self.ffn_norm = nn.Parameter(torch.ones(dim))
        self.ffn_gate = matrix(hidden, dim)
        self.ffn_up = matrix(hidden, dim)
        self.ffn_down = matrix(dim, hidden, 0.03)

    def forward(self, x, rotation, mask, cache, bf16):
        batch, time, dim = x.shape
        n = rms_norm(x, self.attn_norm)
        qkv = linear(n, torch.cat([self.attn_q, self.attn_k, self.attn_v]), bf16)
        q, k, v = (t.view(batch, time, self.heads, -1).transpose(1, 2) for t in qkv.split(dim, -1))
        q, k = rotate(q, rotation), rotate(k, rotation)
        if cache is not None:
            k, v = cache.append(k, v)
        q = q * (1 / math.sqrt(q.shape[-1]))
        if bf16:
            q, k, v = q.bfloat16(), k.bfloat16(), v.bfloat16()
        scores = torch.matmul(q, k.transpose(-1, -2)) + mask
        attended = torch.matmul(torch.softmax(scores, -1), v).transpose(1, 2).reshape(batch, time, dim).float()
        x = x + linear(attended, self.attn_output, bf16)
        n = rms_norm(x, self.ffn_norm)
        gate, up = linear(n, torch.cat([self.ffn_gate, self.ffn_up]), bf16).chunk(2, -1)
        return x + linear(F.silu(gate) * up, self.ffn_down, bf16)


class Cache:
    """Keys and values of one layer, in the order they were computed, in room made once."""

    def __init__(self, batch, heads, room, width):
        self.k = torch.empty(batch, heads, room, width)
        self.v = torch.empty(batch, heads, room, width)
        self.used = 0

    def append(self, k, v):
        end = self.used + k.shape[2]
        self.k[:, :, self.used : end] = k
        self.v[:, :, self.used : end] = v
        self.used = end
        return self.k[:, :, :end], self.v[:, :, :end]


def matrix(out, inner, scale=1.0):
    return nn.Parameter(torch.randn(out, inner) * scale / math.sqrt(inner))


def linear(x, w, bf16):
    """Matrix products in bfloat16 where the processor is faster at it; sums and everything else stay float32."""
    if bf16:
        return F.linear(x.bfloat16(), w.bfloat16()).float()
    return F.linear(x, w)


def rms_norm(x, w):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + RMS_EPS) * w


def rotations(positions, width):
    """e^(i angle), angle = position * base^(-2i / width), as complex numbers [batch, 1, time, width / 2]."""
    frequency = ROPE_BASE ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    angle = positions.unsqueeze(1).unsqueeze(-1).float() * frequency
    return torch.polar(torch.ones_like(angle), angle)


def rotate(x, rotation):
    """Turns the pairs (0, 1), (2, 3), ...: llama.cpp's NORM rotary type."""
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * rotation).flatten(-2)
