"""When to stop training early."""


class EarlyStopping:
    """Stops training after `patience` epochs in which the validation loss did not fall."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._best = float("inf")
        self._waited = 0

    def epoch_finished(self, validation_loss: float | None) -> bool:
        """Returns whether to stop. Without a validation loss training goes on."""
        if validation_loss is None:
            return False
        if validation_loss < self._best:
            self._best, self._waited = validation_loss, 0
            return False
        self._waited += 1
        return self._waited >= self._patience
