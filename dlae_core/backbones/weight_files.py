"""The files of ImageNet weights that Keras publishes: names, checksums, and where they may lie.

Nothing is downloaded here: an operator brings the files. Imports no Keras.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

# The operator's folder, looked into before Keras' own.
FOLDER_VARIABLE = "DLAE_WEIGHTS_DIR"

_BLOCK_BYTES = 1 << 20
# What every HDF5 file begins with.
_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class WeightFile:
    """One file.

    Attributes:
        name: As Keras names it.
        md5: As Keras publishes it, 32 lower-case hexadecimal digits; empty where it does not.
    """

    name: str
    md5: str = ""

    def is_whole(self, path: Path) -> bool:
        """Returns whether a file is what Keras published, as far as that can be known.

        Raises:
            OSError: It cannot be read.
        """
        if self.md5:
            return file_md5(path) == self.md5
        with path.open("rb") as file:
            return file.read(len(_HDF5)) == _HDF5


@dataclass(frozen=True)
class WeightFiles:
    """The two files of a network: with its classifier and without."""

    top: WeightFile
    no_top: WeightFile


def _tf_kernels(network: str, md5_top: str, md5_no_top: str) -> WeightFiles:
    name = f"{network}_weights_tf_dim_ordering_tf_kernels"
    return WeightFiles(
        WeightFile(f"{name}.h5", md5_top), WeightFile(f"{name}_notop.h5", md5_no_top)
    )


WEIGHT_FILES: dict[str, WeightFiles] = {
    "Xception": _tf_kernels(
        "xception", "0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"
    ),
    "VGG16": _tf_kernels(
        "vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"
    ),
    "VGG19": _tf_kernels(
        "vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"
    ),
    "ResNet50": _tf_kernels(
        "resnet50", "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"
    ),
    "ResNet101": _tf_kernels(
        "resnet101", "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"
    ),
    "ResNet152": _tf_kernels(
        "resnet152", "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"
    ),
    "ResNet50V2": _tf_kernels(
        "resnet50v2", "3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"
    ),
    "ResNet101V2": _tf_kernels(
        "resnet101v2", "6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"
    ),
    "ResNet152V2": _tf_kernels(
        "resnet152v2", "a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"
    ),
    "ResNeXt50": _tf_kernels(
        "resnext50", "67a5b30d522ed92f75a1f16eef299d1a", "62527c363bdd9ec598bed41947b379fc"
    ),
    "ResNeXt101": _tf_kernels(
        "resnext101", "34fb605428fcc7aa4d62f44404c11509", "0f678c91647380debd923963594981b3"
    ),
    "InceptionV3": _tf_kernels(
        "inception_v3", "9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"
    ),
    "InceptionResNetV2": _tf_kernels(
        "inception_resnet_v2",
        "e693bd0210a403b3192acc6073ad2e96",
        "d19885ff4a710c122648d3b5c3b684e4",
    ),
    "DenseNet121": _tf_kernels(
        "densenet121", "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"
    ),
    "DenseNet169": _tf_kernels(
        "densenet169", "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"
    ),
    "DenseNet201": _tf_kernels(
        "densenet201", "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"
    ),
    "MobileNet": WeightFiles(
        WeightFile("mobilenet_1_0_224_tf.h5"), WeightFile("mobilenet_1_0_224_tf_no_top.h5")
    ),
    "MobileNetV2": WeightFiles(
        WeightFile("mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"),
        WeightFile("mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"),
    ),
}

BY_NAME: dict[str, WeightFile] = {
    file.name: file for files in WEIGHT_FILES.values() for file in (files.top, files.no_top)
}


def weight_file(network: str, include_top: bool) -> WeightFile:
    """Returns the file of a network."""
    files = WEIGHT_FILES[network]
    return files.top if include_top else files.no_top


def weight_folders() -> list[Path]:
    """Returns where files are looked for: the operator's folder, then that of Keras."""
    own = os.environ.get(FOLDER_VARIABLE)
    keras_home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    return [*([Path(own)] if own else []), Path(keras_home) / "models"]


def file_md5(path: Path) -> str:
    """Returns the MD5 of a file, which is what Keras publishes; it proves no more than wholeness.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
