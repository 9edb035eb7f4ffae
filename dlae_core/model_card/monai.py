"""A card as MONAI bundles describe theirs."""

from dlae_core.model_card.facts import Facts

# Type and format of the output by family; others give images.
_OUTPUTS = {
    "CNN": ("probabilities", "classes"),
    "FCN": ("image", "segmentation"),
    "BBD": ("object", "boxes"),
}
_IMAGE = ("image", "magnitude")


def monai_metadata(facts: Facts) -> Facts:
    """Returns what MONAI bundles call `metadata.json`, as far as it is known.

    Reference: https://docs.monai.io/en/stable/mb_specification.html

    Differs: `monai_version` and `pytorch_version` are left out, for neither made the model;
    channels come last, which `channel_axis` says.
    """
    task, version = facts["task"], f"{facts['version']}.0.0"
    return {
        "version": version,
        "changelog": {version: f"trained {facts['created']}"},
        "required_packages_version": facts["software"],
        "name": facts["name"],
        "task": task["description"],
        "description": f"{task['family']} model {facts['model']}, trained with DLAE",
        "intended_use": "research; not for diagnosis",
        "eval_metrics": facts["metrics"],
        "network_data_format": {
            "inputs": {"image": _format(_IMAGE, task["input_shape"])},
            "outputs": {"pred": _format(_output(task), task["output_shape"])},
        },
    }


def _output(task: Facts) -> tuple[str, str]:
    if task["family"] == "FCN" and not task["classes"]:
        return _IMAGE
    return _OUTPUTS.get(task["family"], _IMAGE)


def _format(kind: tuple[str, str], shape: list[int]) -> Facts:
    return {
        "type": kind[0],
        "format": kind[1],
        "num_channels": shape[-1] if shape else 0,
        "channel_axis": -1,
        "spatial_shape": [length or "*" for length in shape[:-1]],
        "dtype": "float32",
        "is_patch_data": False,
    }
