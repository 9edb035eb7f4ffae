"""What the update of the weights costs, by optimizer."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Update:
    """One update of all weights, all numbers relative to their size.

    Attributes:
        slots: Tensors that the optimizer keeps between steps.
        temporaries: Tensors that are in memory together while it computes, as measured: TensorFlow
            begins the updates of many weights before it ends any.
        passes: Tensors read or written, as measured: Keras computes a rule in single operations.
    """

    slots: int
    temporaries: float
    passes: float


UPDATES: dict[str, Update] = {
    "Adam": Update(slots=2, temporaries=3, passes=25),
    "NAdam": Update(slots=2, temporaries=2, passes=27),
    "SGD": Update(slots=0, temporaries=1, passes=5),
    "RMSprop": Update(slots=1, temporaries=3, passes=20),
    "Adagrad": Update(slots=1, temporaries=2, passes=16),
    "Adadelta": Update(slots=2, temporaries=5, passes=25),
    "Adamax": Update(slots=2, temporaries=2, passes=20),
}


def update_of(settings: Any) -> Update:
    """Returns the cost of an update.

    Args:
        settings: `Optimizer` or `OptimizerSettings` of a resolved configuration.
    """
    update = UPDATES[settings.optimizer]
    if settings.optimizer == "SGD" and settings.momentum > 0:
        return replace(update, slots=1, passes=10)
    return update
