"""The demonstration: `python -m examples.tissue.demo [--folder FOLDER]`.

Starts a server, trains the U-Net of `config.json` on slices of a brain, predicts slices that it
never saw, prints the overlap with the truth and draws the result. What exists is reused.
"""

import shutil
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from dlae_core.data.source import SampleFile
from examples.session import folder_argument, run_client, running_server, train_once
from examples.tissue.prepare import CLASSES, prepare

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

MODEL = "tissue"
COLOURS = ("#101018", "#e8875a", "#f4e9cd", "#4f83c4")
SHOWN = 4

Samples = dict[str, NDArray[np.generic]]


def main(folder: Path) -> None:
    """Runs the demonstration in a folder."""
    start = time.monotonic()
    data = folder / "data"
    if (data / "test_y.h5").exists():
        print("data     reused")
    else:
        prepare(data)
    config = folder / "config.json"
    shutil.copy(Path(__file__).with_name("config.json"), config)
    predictions = folder / "predictions.h5"
    with running_server(folder) as address:
        train_once(address, config, MODEL)
        images = str(data / "test_X.h5")
        run_client(address, "predict", MODEL, images, "-o", str(predictions), "--labels")
    truth, predicted = read(data / "test_y.h5"), read(predictions)
    scores = dice(truth, predicted)
    print(f"\nDice on {len(truth)} slices that the network never saw")
    for name, score in zip(CLASSES[1:], scores, strict=True):
        print(f"  {name:<22} {score:.3f}")
    print(f"  {'mean':<22} {np.mean(scores):.3f}")
    picture = folder / "result.png"
    draw(read(data / "test_X.h5"), truth, predicted, scores, picture)
    print(f"\npicture  {picture}   ({time.monotonic() - start:.0f} s)")


def read(path: Path) -> Samples:
    """Returns all samples of a file by name."""
    with SampleFile(path) as file:
        return {name: file.read(name) for name in file.names}


def dice(truth: Samples, predicted: Samples) -> list[float]:
    """Returns `2 |A and B| / (|A| + |B|)` over all slices together, for each class but 0."""
    expected = np.stack([truth[name] for name in truth])
    found = np.stack([predicted[name] for name in truth])
    return [
        float(
            2
            * ((expected == c) & (found == c)).sum()
            / ((expected == c).sum() + (found == c).sum())
        )
        for c in range(1, len(CLASSES))
    ]


def draw(
    images: Samples, truth: Samples, predicted: Samples, scores: list[float], path: Path
) -> None:
    """Draws input, truth and prediction of a few slices side by side."""
    names = list(truth)
    chosen = [names[round(i)] for i in np.linspace(1, len(names) - 2, SHOWN)]
    figure, axes = plt.subplots(SHOWN, 3, figsize=(7.2, 2.75 * SHOWN), facecolor="#101018")
    tissue = ListedColormap(list(COLOURS))
    for row, name in zip(axes, chosen, strict=True):
        row[0].imshow(images[name][..., 0], cmap="gray")
        for axis, labels in zip(row[1:], (truth[name], predicted[name]), strict=True):
            axis.imshow(labels, cmap=tissue, vmin=0, vmax=len(CLASSES) - 1, interpolation="nearest")
        row[0].text(2, 108, f"slice {name}", color="white", fontsize=9)
    for axis in axes.ravel():
        axis.axis("off")
    for axis, title in zip(axes[0], ("T1 image", "truth", "prediction"), strict=True):
        axis.set_title(title, color="white", fontsize=12)
    handles = [
        Patch(color=colour, label=f"{name}  {score:.2f}")
        for colour, name, score in zip(COLOURS[1:], CLASSES[1:], scores, strict=True)
    ]
    legend = figure.legend(
        handles=handles,
        loc="lower center",
        ncols=3,
        frameon=False,
        labelcolor="white",
        title="Dice on slices the network never saw",
    )
    legend.get_title().set_color("white")
    figure.tight_layout(rect=(0, 0.055, 1, 1))
    figure.savefig(path, dpi=110, facecolor=figure.get_facecolor())
    plt.close(figure)


if __name__ == "__main__":
    main(folder_argument(__doc__, ".demo/tissue"))
