"""Handwritten digits: `python -m examples.digits.demo [--folder FOLDER] [--again]`.

Trains the classifier of `config.json`, which is written as DLAE 1.0 wrote its files, and counts how
many of the held-out digits it reads rightly.
"""

from pathlib import Path

from examples.digits.prepare import prepare
from examples.running import Example, main

EXAMPLE = Example(
    name="digits",
    task="handwritten digits (CNN)",
    config=Path(__file__).with_name("config.json"),
    prepare=prepare,
    measure="accuracy",
    wanted=0.97,
)

if __name__ == "__main__":
    main(EXAMPLE)
