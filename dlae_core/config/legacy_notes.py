"""What DLAE 1.0 did with a setting or a layer, where that differs; a sentence or two each.

`dlae-client config explain` and the reference pages show them. The ids are those of
docs/legacy.md. What holds for every setting has no note: DLAE 1.0 needs all keys, reads texts only,
matches choices as parts of words and knows no ranges (C1 to C5, C15).
"""

from collections.abc import Mapping

_NO_EFFECT = "Has no effect"
_FEATUREWISE = "True is a crash (D4)."
_SAMPLEWISE = "Is not applied to test images (D5); integer images are a crash (D9)."
_GLOBAL = "Has no effect: global normalization is never carried out (D1)."
_STEP_DECAY = "Has no effect: the rate never falls in steps (O4)."
_NO_GAN = "Has no effect for a GAN."
_NAME_IGNORED = "The name is ignored: the class is that of `optimizer.optimizer` (O1)."
_MERGE = "An unknown kind of merge drops the skip in silence (G10)."
_NAN = "Empty is NaN (L5)."
_KERNEL = "Is ignored: both kernels are glorot_uniform and have no penalty (L4)."
_NEVER = "Can never be built"
_REGULARIZER = "An unknown text means no penalty (L12)."

_SETTINGS: Mapping[str, str] = {
    "config_file.type_signal": (
        "Train from Checkpoint builds the readers and then does nothing; for a GAN it fails (N1)."
    ),
    "config_file.input_shape": "Is required, and used by detectors only (C20).",
    "config_file.prebuilt": "Does not exist: prebuilt networks are files.",
    "paths.load_config": "Must name an existing file, or be empty (C27).",
    "paths.load_checkpoint": "Is never read (N1).",
    "paths.validation_X": "Is ignored in silence where `validation_split` is above 0 (D7).",
    "paths.validation_y": "Is ignored in silence where `validation_split` is above 0 (D7).",
    "preprocessing.minimum_image_intensity": _GLOBAL,
    "preprocessing.maximum_image_intensity": _GLOBAL,
    "preprocessing.normalization_type": (
        "The global types do nothing or crash (D1); `global_unity_xy` takes the image where the "
        "annotation is meant (D11); types with y destroy class numbers (D12)."
    ),
    "preprocessing.categorical_switch": "Labels outside 0..C-1 crash or count from the end (D13).",
    "preprocessing.weight_loss_switch": f"{_NO_EFFECT} (F1); a class without samples is NaN (F2).",
    "preprocessing.repeat_X_switch": (
        "Is undone in training for images of one channel, not in validation and prediction (D2)."
    ),
    "augmentation.featurewise_centering_switch": _FEATUREWISE,
    "augmentation.featurewise_normalization_switch": _FEATUREWISE,
    "augmentation.samplewise_centering_switch": _SAMPLEWISE,
    "augmentation.samplewise_normalization_switch": _SAMPLEWISE,
    "augmentation.width_shift": "Empty is 0.1 (C13). The manual knows fractions only (A8).",
    "augmentation.height_shift": (
        "Empty is 0.1 (C13). The manual says fraction of the columns; the program takes rows."
    ),
    "augmentation.rotation_range": (
        "Whole degrees only (A9), around a centre that is one pixel off (A1)."
    ),
    "augmentation.brightness_range": (
        f"{_NO_EFFECT} (A4); volumes of an FCN or a GAN always get a random brightness (A5)."
    ),
    "augmentation.shear_range": "Degrees in the program, radians in the manual (A2).",
    "augmentation.zoom_range": "1 and more give factors of 0 and less (A10).",
    "augmentation.channel_shift_range": f"{_NO_EFFECT} (A4).",
    "augmentation.fill_mode": (
        "Label maps are interpolated linearly; mixed pixels become class 0 (A3)."
    ),
    "augmentation.rounds": (
        "An epoch is `rounds` passes only where the batch size divides the samples (D8); for a "
        "detector also the number of trials of a random crop (X7)."
    ),
    "augmentation.zca_epsilon": "Acts on training images only, not on validation and test (A7).",
    "augmentation.random_seed": "Does not seed shuffling, and so not the split (D6).",
    "loss_function.loss": (
        "Is not compared with the kind of model: a GAN with another loss finishes without doing "
        "anything (C19). `soft_dice`, `jaccard` and `tversky` differ from the manual (F6 to F8)."
    ),
    "loss_function.parameter1": (
        "Empty is 0.0 (C13), with which `jaccard` and `focal` are always 0 (F3, F4)."
    ),
    "loss_function.parameter2": "Empty is 0.0 (C13).",
    "learning_rate_schedule.learning_rate": "Is not used for a GAN, which has rates of its own.",
    "learning_rate_schedule.decay_on_plateau_switch": _NO_GAN,
    "learning_rate_schedule.decay_on_plateau_factor": (
        "Empty is 0.0 (C13), which ends training at the first plateau; 1 and more crash (O5)."
    ),
    "learning_rate_schedule.step_decay_switch": _STEP_DECAY,
    "learning_rate_schedule.step_decay_factor": f"{_STEP_DECAY} Empty is 0.0.",
    "learning_rate_schedule.step_decay_period": _STEP_DECAY,
    "learning_rate_schedule.discriminator_learning_rate": (
        "Whole numbers are replaced by the default (C11). The two discriminators of a cycleGAN "
        "share one optimizer, so the decay is twice as fast (O3)."
    ),
    "learning_rate_schedule.gan_learning_rate": (
        "Whole numbers are replaced by the default (C11); the decay is never checked (C10)."
    ),
    "optimizer.optimizer": "NAdam always crashes (O2). Also the class of a GAN's optimizers (O1).",
    "optimizer.rho": "Used by RMSprop and Adadelta; the manual says Adagrad (O6).",
    "optimizer.discriminator_optimizer": f"{_NAME_IGNORED} Fewer than six parts crash (C9).",
    "optimizer.gan_optimizer": f"{_NAME_IGNORED} Fewer than six parts crash (C9).",
    "training_configurations.number_of_gpus": (
        "More than 1 uses several GPUs whatever `hardware` says (C26)."
    ),
    "training_configurations.early_stop_switch": f"{_NO_GAN} Keeps the last weights (S7).",
    "training_configurations.batch_size": (
        "For a GAN it must divide the number of training samples (N2)."
    ),
    "training_configurations.shuffle_data_switch": "The order is not seeded (D6).",
    "training_configurations.validation_split": (
        "The samples of training and validation are counted separately and can disagree by one "
        "(D16)."
    ),
    "monitors.accuracy_switch": (
        "Compares as if targets were one-hot, which means nothing for class numbers (F5)."
    ),
    "save_configurations.save_model_switch": "The model of a detector is never saved (S1).",
    "save_configurations.save_model_path": (
        "A name without a folder is refused (S2); the extension becomes .h5."
    ),
    "save_configurations.save_csv_path": "A name without a folder is refused (S2).",
    "save_configurations.save_checkpoints_switch": (
        "A checkpoint is written only where `val_loss` is lower than ever, so none without "
        "validation data (S4)."
    ),
    "save_configurations.save_checkpoints_path": "A name without a folder is refused (S2).",
    "save_configurations.save_checkpoints_frequency": (
        "Empty is a crash (C6); a GAN writes one every epoch (S5)."
    ),
    "save_configurations.save_tensorboard_frequency": (
        "Empty is a crash (C6), and so is every number but 0 (S3)."
    ),
    "bbd_options.scales": (
        "Empty is a crash for every kind of model; brackets, None and a single number are refused "
        "(C7)."
    ),
    "bbd_options.aspect_ratios": (
        "Required for every kind of model (C8). In the network's output all anchors of a cell have "
        "the first ratio (X2)."
    ),
    "bbd_options.number_classes": (
        "Required for every kind of model (C8). Classes count from 1 in the program, from 0 in the "
        "manual (X1)."
    ),
    "bbd_options.steps": "Forgotten when a model is loaded (X3).",
    "bbd_options.offsets": "Forgotten when a model is loaded (X3).",
    "bbd_options.variances": "Empty is (1.0, 1.0, 1.0, 1.0).",
    "bbd_options.nms_maximum_output": f"{_NO_EFFECT} (X5).",
    "bbd_options.coordinates_type": (
        "Acts on the anchors in the network's output only, not on targets and results (X4)."
    ),
    "bbd_options.two_boxes_for_AR1_switch": (
        "The network cannot be built where the first aspect ratio is 1 (X2)."
    ),
    "bbd_options.clip_boxes_switch": "Clips one pixel short of the image's size (X11).",
}

_LAYERS: Mapping[str, str] = {
    "Permute": f"{_NEVER} (L1). The manual's example counts axes from 0.",
    "Batch normalization": "Empty fields fail (L5).",
    "Leaky reLU.alpha": _NAN,
    "ELU.alpha": _NAN,
    "Thresholded reLU.theta": "Empty is NaN: all outputs are 0 (L5).",
    "Convolution.dilation": "None or empty fails in 3D (L3).",
    "Convolution.kernel_regularizer": _REGULARIZER,
    "Convolution.activity_regularizer": _REGULARIZER,
    "Resize convolution": "Fails as item 1 (G2).",
    "Resize convolution.dilation": "None or empty fails in 3D (L3).",
    "Transpose convolution.dilation": "Is ignored in 3D (L14).",
    "Separable convolution": "Does not exist in 3D (L10).",
    "Separable convolution.initializer": _KERNEL,
    "Separable convolution.kernel_regularizer": _KERNEL,
    "Depthwise separable convolution": f"{_NEVER} (L2); does not exist in 3D (L10).",
    "Depthwise separable convolution.dilation": "In the manual's list of fields only (M2).",
    "Outer skip source": "Fails as item 1 (G2).",
    "Outer skip source.skip_type": "Is not compared with the target's (G9).",
    "Outer skip target.skip_type": _MERGE,
    "Inner skip source.skip_type": "Is not compared with the target's (G9).",
    "Inner skip target": "Reads the first open source and removes the last (G1).",
    "Inner skip target.skip_type": _MERGE,
    "Hook connection source": "Fails in the discriminator of pix2pix (G7).",
    "Hook connection target": "Is in the manual only (L11).",
    "Pretrained network": (
        "Has an input of its own, so that layers before it are cut off in silence (G3); a second "
        "Inception network in one session fails (L7)."
    ),
    "Pretrained network.weights": (
        "None and empty are errors (L9). `imagenet` fails with other than 3 channels (L13)."
    ),
    "Pretrained network.input_shape": "Is required.",
    "Pretrained network.input_scaling": "Does not exist: images are never scaled (L8).",
}

LEGACY_NOTES: Mapping[str, str] = {**_SETTINGS, **_LAYERS}
