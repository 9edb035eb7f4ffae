"""What a client asks of models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlae_client.channel import Connection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dlae_client.predicting import Reply


@dataclass(frozen=True)
class Asked:
    """What is asked of a model, besides its images.

    Attributes:
        kind: `labels`, `boxes` or the network's `output`; empty: what the model's own settings say.
        options: What is not as the model's own settings say; see `Predictions`.
        can_wait: Whether others are predicted for first.
        describe: Whether the answer tells what was done.
        provenance: Whether it tells where the server has recorded the prediction.
    """

    kind: str = ""
    options: Mapping[str, Any] | None = None
    can_wait: bool = False
    describe: bool = False
    provenance: bool = False


PLAIN = Asked()


class Predictions:
    """Predictions with models. A part of `Client`.

    `options` are what is not as the model's own settings say, by their names in the section
    `prediction` of its configuration: `{"threshold": 0.5, "flips": [1], "tile_overlap": 0.25}`. A
    threshold of None labels with the most probable class; `confidence_threshold` is that of boxes.
    """

    _connection: Connection

    def predict(
        self,
        model: str,
        images: "NDArray[Any]",
        labels: bool | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> "NDArray[Any]":
        """Returns a model's output for a batch of raw images.

        Args:
            model: `name`, `name@version` or `name@alias`.
            images: (batch, rows, cols[, slices], channels), any numeric type.
            labels: Whether to return the most probable class instead of the network's output; None:
                what the model's own settings say, of a detector boxes (batch, most, 6).
            options: See the class.

        Returns:
            float32 (batch, ...), or uint8 (uint16 above 256 classes) labels.
        """
        kind = "" if labels is None else "labels" if labels else "output"
        return self.reply(model, images, Asked(kind, options)).output

    def boxes(
        self, model: str, images: "NDArray[Any]", options: Mapping[str, Any] | None = None
    ) -> "list[NDArray[Any]]":
        """Returns the boxes that a detector finds in each of a batch of raw images.

        Args:
            model: `name`, `name@version` or `name@alias`.
            images: (batch, rows, cols, channels), any numeric type.
            options: See the class.

        Returns:
            Of each image, float32 (boxes, 6): class from 1, confidence, xmin, ymin, xmax, ymax in
            pixels, the most probable first.
        """
        return self.reply(model, images, Asked("boxes", options)).boxes()

    def reply(self, model: str, images: "NDArray[Any]", asked: Asked = PLAIN) -> "Reply":
        """Returns all that the server answers: which model it was, by its hash, what was done.

        Args:
            model: `name`, `name@version` or `name@alias`.
            images: (batch, rows, cols[, slices], channels), any numeric type.
            asked: What is asked for.
        """
        from dlae_client.predicting import predict  # noqa: PLC0415 - NumPy

        return predict(self._connection, model, images, asked)
