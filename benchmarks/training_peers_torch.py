"""The other side of `training_peers.py`, run by a Python that has PyTorch and MONAI.

Imports nothing of DLAE. Reads names of ways to train from standard input, one per line, takes as
many steps as the argument says, and answers with the seconds that they took.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from monai.networks.nets import BasicUNet
from torch import nn

BATCH, SIDE, RATE = 8, 128, 1e-4
LEVELS = (32, 64, 128, 256, 512)


def _twice(inputs: int, filters: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, filters):
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """The network of `training_step.unet_layers`."""

    def __init__(self) -> None:
        super().__init__()
        below = (1, *LEVELS[:-1])
        self.down = nn.ModuleList(_twice(one, two) for one, two in zip(below, LEVELS, strict=True))
        rising = list(zip(LEVELS[:0:-1], LEVELS[-2::-1], strict=True))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(one, two, 2, 2) for one, two in rising)
        self.up = nn.ModuleList(_twice(2 * two, two) for _, two in rising)
        self.last = nn.Conv2d(LEVELS[0], 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns logits, (batch, 2, rows, cols)."""
        kept = []
        for number, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if number else x)
            kept.append(x)
        for grow, block, skip in zip(self.grow, self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([skip, grow(x)], dim=1))
        return self.last(x)


def _monai() -> nn.Module:
    return BasicUNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=2,
        features=(*LEVELS, LEVELS[0]),
        act="relu",
        norm="batch",
    )


def _turn(model: nn.Module, lower: bool, steps: int) -> Callable[[], Any]:
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), RATE, fused=True)
    images = torch.rand(steps, BATCH, 1, SIDE, SIDE)
    targets = (images[:, :, 0] > 0.5).long()

    def turn() -> None:
        for x, y in zip(images, targets, strict=True):
            optimizer.zero_grad(set_to_none=True)
            shown = x.to(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=lower):
                loss = nn.functional.cross_entropy(model(shown).float(), y)
            loss.backward()
            optimizer.step()

    return turn


def main() -> None:
    """Answers until standard input ends."""
    steps = int(sys.argv[1])
    torch.manual_seed(1)
    turns = {
        "torch_float32": _turn(UNet(), lower=False, steps=steps),
        "torch_bfloat16": _turn(UNet(), lower=True, steps=steps),
        "monai_float32": _turn(_monai(), lower=False, steps=steps),
        "monai_bfloat16": _turn(_monai(), lower=True, steps=steps),
    }
    for line in sys.stdin:
        start = time.perf_counter()
        turns[line.strip()]()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
