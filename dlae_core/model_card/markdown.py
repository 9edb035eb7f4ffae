"""A card for people."""

from collections.abc import Mapping
from typing import Any

from dlae_core.model_card.facts import Facts


def card_text(facts: Facts) -> str:
    """Returns a card in Markdown."""
    task = facts["task"]
    parts = [
        f"# {facts['model']}",
        f"{task['family']}: {task['description']}.",
        _table("Origin", _origin(facts)),
        _table("Network", _network(task, facts["network"])),
        _data(facts["data"]),
        _table("Preprocessing", _flat(facts["preprocessing"])),
        _table("Training", _training(facts["training"])),
        _table("Metrics", {name: f"{value:.4g}" for name, value in facts["metrics"].items()}),
        _table("Engines", {name: _engine(found) for name, found in facts["engines"].items()}),
        _table(
            "Precisions", {name: _precision(found) for name, found in facts["precisions"].items()}
        ),
        "## Limitations\n\n" + "\n".join(f"- {sentence}" for sentence in facts["limitations"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _origin(facts: Facts) -> Facts:
    software = facts["software"]
    return {
        "imported" if facts["imported"] else "created": facts["created"],
        "aliases": ", ".join(facts["aliases"]),
        "training began from": facts["parent"],
        "software": f"DLAE {software['dlae']}, Keras {software['keras']}",
    }


def _network(task: Facts, network: Facts) -> Facts:
    layers = (f"{count} x {name}" for name, count in network["layers"].items())
    return {
        "prebuilt": network["prebuilt"],
        "weights": f"{network['parameters']:,}",
        "input": _shape(task["input_shape"]),
        "output": _shape(task["output_shape"]),
        "classes": task["classes"] or "",
        "layers": ", ".join(layers),
    }


def _training(training: Facts) -> Facts:
    course = {"seed": training["seed"], "epochs trained": training["epochs_trained"]}
    return course | _flat(training["settings"])


def _data(data: Facts) -> str:
    counts = [f"{count} samples for {part}" for part, count in data["samples"].items()]
    rows = [
        f"| {role} | {file.get('samples', '')} | `{file.get('sha256', '')}` |"
        for role, file in data["files"].items()
    ]
    head = ["| file | samples | SHA-256 |", "| --- | --- | --- |"]
    told = [", ".join(counts) + "."] if counts else []
    parts = [*told, "\n".join([*head, *rows])] if rows else told
    return "\n\n".join(["## Data", *parts]) if parts else ""


def _engine(found: Mapping[str, Any]) -> str:
    if "refused" in found:
        return f"not used: {found['refused']}"
    return (
        f"largest difference from Keras {found['largest_difference']:.1e}, "
        f"over {found['samples']} samples"
    )


def _precision(found: Mapping[str, Any]) -> str:
    if "metrics" not in found:
        return f"not used: {found['refused']}"
    judged = f"over {found['samples']} validation samples on {found['engine']}"
    if "refused" in found:
        return f"not used: {found['refused']}; {judged}"
    told = ", ".join(
        f"{metric.replace('_', ' ')} {after:.4f} ({before:.4f} in float32)"
        for metric, (before, after) in found["metrics"].items()
    )
    return f"accepted: {told}, largest difference {found['largest_difference']:.1e}, {judged}"


def _table(title: str, rows: Mapping[str, object]) -> str:
    """Returns a chapter with a table of what is known; nothing where nothing is."""
    known = {name: value for name, value in rows.items() if value not in ("", None)}
    lines = [f"| {name} | {_cell(value)} |" for name, value in known.items()]
    return "\n".join([f"## {title}", "", "| | |", "| --- | --- |", *lines]) if lines else ""


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _flat(sections: Mapping[str, Mapping[str, object]]) -> Facts:
    """Returns the settings of all sections in one table; names are theirs alone in practice."""
    return {key: value for section in sections.values() for key, value in section.items()}


def _shape(lengths: list[int]) -> str:
    return " x ".join(str(length) if length else "any" for length in lengths)
