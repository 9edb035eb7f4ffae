"""Question: how fast is training beside PyTorch, MONAI, Keras and DLAE 1.0?

The U-Net of `training_step.py`, 128 x 128, batch 8, Adam, cross-entropy, on batches in memory: our
step and Keras's `fit`, in float32 and bfloat16; PyTorch with channels last and the fused Adam;
MONAI's `BasicUNet`, which has other and more convolutions. All take turns on the same cores.
PyTorch and MONAI run in the Python that DLAE_PEERS_PYTHON names; without it they are left out,
saying so.

DLAE 1.0 trained its own `unet2d` at 1.1 samples a second on the machine that its numbers are from,
with TensorFlow 1.13.1: that network is measured alone.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.quiet import settle, timed
from benchmarks.training_step import Turn, batches_of, fit_turn, loop_turn, steps_of, unet_layers
from dlae_core.config.prebuilt import prebuilt_sections
from dlae_core.precision import MIXED, SINGLE

BATCH, STEPS, ROUNDS = 8, 2, 7
OF_1_0 = 1.1
# Speeds over those of other ways of the same run.
GOALS = {
    "dlae_float32": {"keras_float32": 1.15, "torch_float32": 1.0, "monai_float32": 1.0},
    "dlae_bfloat16": {"keras_float32": 1.66, "torch_bfloat16": 1.0, "monai_bfloat16": 1.0},
}


class Peers:
    """Trainings in another Python."""

    def __init__(self, python: str) -> None:
        script = Path(__file__).with_name("training_peers_torch.py")
        self._process = subprocess.Popen(
            [python, str(script), str(STEPS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, way: str) -> float:
        """Returns how long a turn of a way to train takes."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(way + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """Ends the other Python."""
        self._process.communicate()


def main() -> None:
    """Measures and prints all ratios."""
    python = os.environ.get("DLAE_PEERS_PYTHON")
    if not python:
        print("training_peers: set DLAE_PEERS_PYTHON to a Python with torch and monai", flush=True)
    peers = Peers(python) if python else None
    ways = _ways(peers)
    for seconds in ways.values():
        seconds()
    rounds: list[dict[str, float]] = []
    for number in range(ROUNDS):
        settle()
        names = sorted(ways, reverse=number % 2 == 1)
        rounds.append({name: ways[name]() for name in names})
    if peers:
        peers.close()
    fastest = {name: min(one[name] for one in rounds) for name in ways}
    for name in ("dlae_float32", "dlae_bfloat16"):
        over = {other: round(fastest[other] / fastest[name], 3) for other in ways if other != name}
        speed = round(BATCH * STEPS / fastest[name], 1)
        print(_line(f"training_peers_{name}", speed, over=over, goals=GOALS[name]), flush=True)
    _print_unet2d()


def _ways(peers: Peers | None) -> dict[str, Callable[[], float]]:
    """Returns by name what trains for a turn, and how long it took."""
    images, targets = batches_of(128, STEPS)
    turns: dict[str, Turn] = {
        "keras_float32": fit_turn(unet_layers(), images, targets),
        "dlae_float32": loop_turn(steps_of(unet_layers(), SINGLE), images, targets, 1),
        "dlae_bfloat16": loop_turn(steps_of(unet_layers(), MIXED), images, targets, 1),
    }
    found = {name: _timing(turn) for name, turn in turns.items()}
    if peers:
        for way in ("torch_float32", "torch_bfloat16", "monai_float32", "monai_bfloat16"):
            found[way] = lambda way=way: peers.seconds(way)  # type: ignore[misc]
    return found


def _timing(turn: Turn) -> Callable[[], float]:
    return lambda: timed(turn).seconds


def _print_unet2d() -> None:
    """Prints how fast 1.0's own U-Net trains."""
    layers = prebuilt_sections("unet2d", (128, 128, 1), 2)["layers"]["serial_layer_list"]
    images, targets = batches_of(128, 1)
    turns = {
        name: loop_turn(steps_of(layers, precision), images, targets, 1)
        for name, precision in (("float32", SINGLE), ("bfloat16", MIXED))
    }
    for name, turn in turns.items():
        turn()
        settle()
        speed = BATCH / min(timed(turn).seconds for _ in range(3))
        goal = 3 if name == "float32" else 5
        ratio = round(speed / OF_1_0, 2)
        print(_line(f"training_unet2d_{name}", round(speed, 2), over_1_0=ratio, goal=goal))


def _line(name: str, speed: float, **more: object) -> str:
    return json.dumps({"benchmark": name, "samples_per_second": speed, **more})


if __name__ == "__main__":
    main()
