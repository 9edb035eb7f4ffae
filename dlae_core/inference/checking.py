"""What can be known of an inference session before it runs."""

import tempfile
from pathlib import Path

from dlae.v1.config_pb2 import Config
from dlae_core.config import check_config
from dlae_core.data.source import SampleFile
from dlae_core.errors import DlaeError, InvalidConfig, UnusableDataset, Violation
from dlae_core.events import Event, Warned
from dlae_core.inference.applying import Applied
from dlae_core.inference.model import model_folder
from dlae_core.validation import Report

MODEL, IMAGES = "paths.load_model", "paths.test_X"


def check_session(config: Config) -> Report:
    """Checks model and images of a resolved and checked configuration, without predicting.

    The model is loaded, as that alone tells whether it can be. What was taken of a file of Keras is
    among the warnings.
    """
    told: list[Event] = []
    violations = list(check_config(config).unsupported)
    model = None
    with tempfile.TemporaryDirectory() as scratch:
        try:
            model = Applied(model_folder(config, Path(scratch), told.append), config)
        except InvalidConfig as error:
            violations += error.violations
        except DlaeError as error:
            violations.append(Violation(MODEL, error.reason, str(error)))
    try:
        with SampleFile(Path(config.paths.test_x)) as images:
            if model:
                model.check(images)
    except UnusableDataset as error:
        violations += [Violation(IMAGES, error.reason, problem) for problem in error.problems]
    warned = [event for event in told if isinstance(event, Warned)]
    warnings = [Violation(MODEL, event.reason, event.message) for event in warned]
    return Report(tuple(violations), tuple(warnings))
