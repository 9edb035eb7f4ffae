"""What differs between two models."""

from dlae.v1.models_pb2 import Model, TrainingFile
from dlae_client.comparison import compare


def model(version: int, dice: float, rate: float, content: str) -> Model:
    made = Model(
        name="m",
        version=version,
        family="FCN",
        seed=7,
        parent="m@1" if version > 1 else "",
        input_shape=[8, 8, 1],
        metrics={"dice": dice, "loss": 0.5},
        data={"train_X": TrainingFile(sha256=content, samples=3)},
    )
    made.config.learning_rate_schedule.learning_rate = rate
    made.config.training_configurations.epochs = 9
    return made


def test_only_what_differs_is_told_and_every_metric() -> None:
    found = compare(model(1, 0.5, 0.1, "a"), model(2, 0.75, 0.2, "b"))
    assert (found.first, found.second) == ("m@1", "m@2")
    assert found.facts == {"parent": ("", "m@1")}
    assert found.settings == {"learning_rate_schedule.learning_rate": (0.1, 0.2)}
    assert found.data == {"train_X": ("a", "b")}
    assert found.metrics == {"dice": (0.5, 0.75), "loss": (0.5, 0.5)}


def test_what_one_alone_has_is_told_as_missing_in_the_other() -> None:
    first, second = model(1, 0.5, 0.1, "a"), model(1, 0.5, 0.1, "a")
    del second.metrics["dice"]
    first.data["validation_X"].sha256 = "c"
    second.config.ClearField("learning_rate_schedule")
    found = compare(first, second)
    assert found.metrics["dice"] == (0.5, None)
    assert found.data == {"validation_X": ("c", None)}
    assert found.settings == {"learning_rate_schedule.learning_rate": (0.1, None)}
