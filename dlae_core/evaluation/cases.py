"""Which samples are one case, and the walk over all of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dlae_core.data.groups import groups_of_attribute, groups_of_table
from dlae_core.data.source import SampleFile
from dlae_core.errors import UnusableDataset
from dlae_core.evaluation.geometry import Units, place_of
from dlae_core.evaluation.measures import Bootstrap
from dlae_core.evaluation.result import Numbers, Place, Result, Sample
from dlae_core.evaluation.tasks import Task, evaluator_of, sample_of

_TABLE_ENDING = ".csv"

# Names in the order in which they are wanted, to the prediction of each, in this order.
Predict = Callable[[Sequence[str]], Iterable[Numbers]]


@dataclass(frozen=True)
class DataSet:
    """Annotations, and the files that tell about the samples.

    Attributes:
        annotations: The annotations.
        names: Names of the samples that are evaluated.
        files: Files whose attributes tell spacing and groups, the first that does.
    """

    annotations: SampleFile
    names: tuple[str, ...]
    files: tuple[SampleFile, ...]

    def cases(self, group_by: str) -> list[tuple[str, ...]]:
        """Returns the samples of each case.

        Args:
            group_by: Attribute, or path of a table ending in `.csv`, that tells which samples
                belong together; empty: each sample is a case.

        Raises:
            UnusableDataset: A sample has no group.
        """
        if not group_by:
            return [(name,) for name in self.names]
        groups = self._groups(group_by)
        cases: dict[str, list[str]] = {}
        for name in self.names:
            cases.setdefault(groups[name], []).append(name)
        return [tuple(names) for names in cases.values()]

    def place(self, name: str) -> Place:
        """Returns where the pixels of a sample lie."""
        return place_of(self.files, name)

    def _groups(self, group_by: str) -> dict[str, str]:
        if group_by.lower().endswith(_TABLE_ENDING):
            return groups_of_table(Path(group_by), self.names)
        first = self.names[0]
        telling = [file for file in self.files if file.attribute(first, group_by) is not None]
        return groups_of_attribute((telling or list(self.files))[0], group_by)


def evaluate(
    task: Task, data: DataSet, predict: Predict, bootstrap: Bootstrap, group_by: str = ""
) -> Result:
    """Returns how well predictions agree with annotations.

    Args:
        task: What is predicted.
        data: The annotations.
        predict: Gives the predictions.
        bootstrap: How confidence intervals are found: whole cases are resampled.
        group_by: As of `DataSet.cases`.

    Raises:
        UnusableDataset: An annotation cannot be read or does not suit its prediction, or a sample
            has no group.
    """
    cases = data.cases(group_by)
    places = {name: data.place(name) for name in data.names}
    units = Units.of(places.values(), task.axes, bool(group_by))
    evaluator = evaluator_of(task, units)
    outputs = iter(predict([name for names in cases for name in names]))
    for names in cases:
        samples = []
        for name in names:
            one = checked_sample(task, data.annotations, name, next(outputs))
            samples.append(replace(one, place=places[name]))
        evaluator.add(samples)
    return evaluator.result(bootstrap)


def checked_sample(task: Task, annotations: SampleFile, name: str, predicted: Numbers) -> Sample:
    """Returns a sample as the task's evaluator takes it.

    Raises:
        UnusableDataset: The annotation does not suit the prediction.
    """
    try:
        return sample_of(task, name, predicted, annotations.read(name))
    except ValueError as error:
        raise UnusableDataset([f"{annotations.path.name}: '{name}': {error}"]) from error
