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
        self.blocks = nn.ModuleList(Block(dim, heads, hidden, layers) for _ in range(layers))
        self.norm = nn.Parameter(torch.ones(dim))

    def forward(self, ids, positions=None, mask=None, cache=None):
        """ids [batch, time] -> logits [batch, time, pieces + 1]. Without `mask`, attention is causal over the batch."""
        if positions is None:
            positions = torch.arange(ids.shape[1]).expand(ids.shape)
        if mask is None:
            mask = torch.full((ids.shape[1], ids.shape[1]), -math.inf).triu(1)
        rotation = rotations(positions, self.dim // self.heads)
        x = self.embedding[ids]
        for i, block in enumerate(self.blocks):
            x = block(x, rotation, mask, None if cache is None else cache[i], self.bf16)
        return self.logits(x)

    def logits(self, x):
        logits = linear(rms_norm(x, self.norm), self.embedding, self.bf16)
        return torch.cat([logits[..., :-1], logits[..., -1:] + math.log(self.absent)], -1)


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, layers):
        super().__init__()
        self.heads = heads
        self.attn_norm = nn.Parameter(torch.ones(dim))
        self.attn_q = matrix(dim, dim)
        self.attn_k = matrix(dim, dim)
        self.attn_v = matrix(dim, dim)
        self.attn_output = matrix(dim, dim, 1 / math.sqrt(2 * layers))
        self.ffn_norm = nn.Parameter(torch.ones(dim))
        self.ffn_gate = matrix(hidden, dim)
        self.ffn_up = matrix(hidden, dim)
        self.ffn_down = matrix(dim, hidden, 1 / math.sqrt(2 * layers))

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
            q, k, v, mask = q.bfloat16(), k.bfloat16(), v.bfloat16(), mask.bfloat16()
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
