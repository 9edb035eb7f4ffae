"""`dlae-client config` and `layers`: what they print, refuse and write, without a server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dlae_client.cli.main import main
from dlae_core.config import complete_config, read_config
from tests.dlae_client.conftest import Outcome, Run
from tests.dlae_core.config.examples import sections
from tests.reference import reference_path


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `dlae-client` where no server answers."""
    monkeypatch.setenv("DLAE_SERVER", "localhost:1")

    def command(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["dlae-client", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return Outcome(code, told.out, told.err)

    return command


def _file(folder: Path, **changes: object) -> Path:
    path = folder / "study.json"
    path.write_text(json.dumps(sections(**changes)))
    return path


def test_conversion_there_and_back_is_the_same_configuration(offline: Run, tmp_path: Path) -> None:
    path, legacy, native = reference_path("configs", "example_bbd.json"), "1.json", "2.json"
    done = offline("config", "convert", path, "--to", "1.0", "-o", tmp_path / legacy)
    assert (done.code, done.out) == (0, f"wrote {tmp_path / legacy}\n")
    assert offline("config", "convert", tmp_path / legacy, "-o", tmp_path / native).code == 0
    configs = [
        complete_config(read_config(one.read_text()).config).config
        for one in (path, tmp_path / legacy, tmp_path / native)
    ]
    assert configs[0] == configs[1] == configs[2]


def test_without_a_file_to_write_the_configuration_is_printed(offline: Run, tmp_path: Path) -> None:
    done = offline("config", "convert", _file(tmp_path), "--json")
    assert done.document["preprocessing"] == {"categorical_switch": True, "categories": 3}
    assert "left out, with their defaults" in done.err


def test_conversion_tells_what_1_0_cannot_read(offline: Run, tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text(json.dumps({"config_file": {"prebuilt": "unet2d"}}))
    done = offline("config", "convert", path, "--to", "1.0", "-o", tmp_path / "1.json", "--json")
    assert done.code == 0
    notes = done.document["notes"]
    assert "config_file.prebuilt: written out; DLAE 1.0 has no such setting" in notes
    assert [row["path"] for row in done.document["warnings"]][:2] == [
        "paths.train_X",
        "paths.train_y",
    ]
    assert len(json.loads((tmp_path / "1.json").read_text())["layers"]["serial_layer_list"]) > 50


def test_conversion_keeps_the_name_of_a_prebuilt_network_and_what_is_switched_off(
    offline: Run, tmp_path: Path
) -> None:
    given = {"config_file": {"prebuilt": "ssd"}, "bbd_options": {"steps": "None"}}
    path = tmp_path / "study.json"
    path.write_text(json.dumps(given))
    assert offline("config", "convert", path).document == given


def test_a_file_is_replaced_only_by_force(offline: Run, tmp_path: Path) -> None:
    path = _file(tmp_path)
    before = path.read_text()
    done = offline("config", "convert", path, "-o", path)
    assert (done.code, path.read_text()) == (1, before)
    assert "--force" in done.err
    assert offline("config", "convert", path, "-o", path, "--force").code == 0
    assert path.read_text() != before


@pytest.mark.parametrize("command", [("show",), ("convert",), ("convert", "--to", "1.0")])
def test_what_cannot_be_read_is_refused_with_everything_that_is_wrong(
    offline: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = _file(tmp_path, preprocessing__categories="many", paths__train_X="")
    done = offline("config", *command, path, "--json")
    assert done.code == 3
    assert [row["path"] for row in done.document["violations"]] == [
        "preprocessing.categories",
        "paths.train_X",
    ]


def test_what_does_not_fit_is_warned_of(offline: Run, tmp_path: Path) -> None:
    path = _file(tmp_path, preprocessing__image_context="3D")
    done = offline("config", "convert", path)
    assert done.code == 0
    assert "warning: preprocessing.image_context: expected '2D'" in done.err


def test_an_unknown_prebuilt_network_cannot_be_written_out(offline: Run, tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text('{"config_file": {"prebuilt": "unet22d"}}')
    assert offline("config", "convert", path).code == 0
    for command in (("show",), ("convert", "--to", "1.0")):
        done = offline("config", *command, path)
        assert (done.code, done.out) == (3, "")
        assert "did you mean 'unet2d'?" in done.err


@pytest.mark.parametrize("command", ["show", "convert"])
def test_a_file_that_is_missing_is_told(offline: Run, tmp_path: Path, command: str) -> None:
    done = offline("config", command, tmp_path / "none.json", "--json")
    assert (done.code, done.document["error"]["reason"]) == (1, "LOCAL_FILE")


def test_show_prints_every_value_with_its_origin(offline: Run, tmp_path: Path) -> None:
    done = offline("config", "show", _file(tmp_path))
    rows = [line.split() for line in done.out.splitlines()]
    assert ["categories", "file", "3"] in rows
    assert ["input_shape", "rule", "(8,", "8,", "1)"] in rows
    assert ["epochs", "default", "500", "epochs"] in rows
    assert ["gan_optimizer.epsilon", "default", "None"] in rows
    assert "layers.serial_layer_list, from file" in done.out
    assert "5  Upsample 2D:(2, 2)" in done.out


def test_the_document_of_show(offline: Run, tmp_path: Path) -> None:
    document = offline("config", "show", _file(tmp_path), "--json").document
    rows = {row["path"]: row for row in document["settings"]}
    assert rows["augmentation.width_shift"] == {
        "path": "augmentation.width_shift",
        "value": 0.0,
        "text": "0.0",
        "origin": "default",
        "unit": "fraction or px",
    }
    assert rows["config_file.input_shape"]["value"] == [8, 8, 1]
    assert document["layers"]["serial_layer_list"]["layers"][0] == "Input:(8, 8, 1)"
    assert document["warnings"] == []


def test_losses_that_are_added_are_shown_as_they_are_written(offline: Run, tmp_path: Path) -> None:
    path = _file(tmp_path, loss_function__additional_losses=["focal", "soft_dice:0.5"])
    done = offline("config", "show", path, "--section", "loss_function", "--json")
    rows = {row["path"]: row for row in done.document["settings"]}
    row = rows["loss_function.additional_losses"]
    assert (row["value"], row["origin"]) == (["focal:1.0", "soft_dice:0.5"], "file")
    assert row["text"] == "focal:1.0, soft_dice:0.5"


MONITORS = {
    "mse_switch": False,
    "mae_switch": False,
    "accuracy_switch": True,
    "dice_switch": False,
    "iou_switch": False,
    "auc_switch": False,
    "sensitivity_switch": False,
    "specificity_switch": False,
    "coordinate_error_switch": False,
    "psnr_switch": False,
    "ssim_switch": False,
    "average_precision_switch": True,
}


def test_one_section_is_shown_alone(offline: Run, tmp_path: Path) -> None:
    path = _file(tmp_path)
    assert offline("config", "show", path, "--section", "monitors").out.splitlines() == [
        "setting                     from     value",
        "monitors",
        *(f"  {key:<24}  default  {value}" for key, value in MONITORS.items()),
    ]
    assert offline("config", "show", path, "--section", "layers").out.startswith("layers.serial")
    assert offline("config", "show", path, "--section", "monitor").code == 2


@pytest.mark.parametrize(
    ("key", "paths"),
    [
        ("augmentation.width_shift", ["augmentation.width_shift"]),
        ("width_shift", ["augmentation.width_shift"]),
        ("Width Shift", ["augmentation.width_shift"]),
        ("gan_optimizer", ["optimizer.gan_optimizer"]),
        ("optimizer.gan_optimizer.beta1", ["optimizer.gan_optimizer.beta1"]),
        ("optimizer", ["optimizer", "optimizer.optimizer"]),
        ("max pooling 3D", ["Max pooling"]),
        ("LeakyReLU", ["Leaky reLU"]),
        ("ResNet50.weights", ["Pretrained network.weights"]),
        ("Convolution.kernel", ["Convolution.kernel"]),
    ],
)
def test_names_of_all_kinds_are_explained(offline: Run, key: str, paths: list[str]) -> None:
    found = offline("config", "explain", key, "--json").document["explained"]
    assert [row.get("path") or row["name"] for row in found] == paths


def test_an_explanation_tells_all_that_is_known(offline: Run) -> None:
    lines = offline("config", "explain", "step_decay_period").out.splitlines()
    assert [line.strip() for line in lines] == [
        "learning_rate_schedule.step_decay_period",
        "Length of a step.",
        "type      a whole number",
        "limits    at least 1",
        "unit      epochs",
        "default   3",
        "acts      where step_decay_switch is True",
        "DLAE 1.0  Has no effect: the rate never falls in steps (O4).",
    ]


def test_an_unknown_name_is_a_usage_error_with_the_nearest(offline: Run) -> None:
    done = offline("config", "explain", "widht_shift", "--json")
    assert (done.code, done.document["error"]["reason"]) == (2, "USAGE")
    assert done.err.strip().endswith("did you mean 'width_shift'?")
    assert "`dlae-client layers`" in offline("config", "explain", "§").err
    assert "did you mean 'Dropout'?" in offline("layers", "Dropuot").err
    assert offline("layers", "Dropuot").code == 2


def test_the_schema_is_one_document(offline: Run) -> None:
    document = offline("config", "schema").document
    assert len(document["properties"]) == 13


def test_layers_are_a_table_and_a_document(offline: Run) -> None:
    done = offline("layers")
    assert "Zero padding                     2D, 3D  padding=1" in done.out
    layers = offline("layers", "--json").document["layers"]
    assert sum(len(layer["names"]) for layer in layers) == 65
    (dropout,) = offline("layers", "dropout", "--json").document["layers"]
    assert dropout["example"] == "Dropout:0.5"
    assert dropout["fields"][0]["limits"] == "at least 0 and below 1"


def test_one_layer_is_described_field_by_field(offline: Run) -> None:
    out = offline("layers", "Convolution 3D").out
    assert "example   Convolution 2D:64:(3, 3)" in out
    assert "Convolution.activity_regularizer\n  Penalty on the output." in out


def test_the_commands_load_neither_keras_nor_numpy(tmp_path: Path) -> None:
    program = (
        "import sys; from dlae_client.cli.main import main\n"
        f"sys.argv = ['dlae-client', 'config', 'show', {str(_file(tmp_path))!r}]\n"
        "main()\n"
        "heavy = {'keras', 'tensorflow', 'numpy', 'h5py'} & set(sys.modules)\n"
        "sys.exit(1 if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
