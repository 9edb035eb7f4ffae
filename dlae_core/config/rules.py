"""All rules across settings: what values must agree with each other, what deserves a warning.

`RULES` are mistakes, `ADVICE` are warnings. What nothing acts on yet is in `support`.
"""

from dlae_core.config import (
    adversarial_rules,
    augmentation_rules,
    connection_rules,
    detection_rules,
    layer_rules,
    loss_rules,
    output_rules,
    prediction_rules,
    session_rules,
    shape_rules,
    split_rules,
    training_rules,
)
from dlae_core.config.layer_lists import DISCRIMINATOR, GENERATOR, SERIAL
from dlae_core.config.loss_rules import LOSS, NORMALIZATION, SWITCH
from dlae_core.config.rule import Rule
from dlae_core.config.session_rules import (
    BFLOAT16,
    CHECKPOINTS,
    EARLY_STOP,
    EXAMPLES,
    INT8,
    PLATEAU,
    PRECISION,
    SESSION,
    SPLIT,
)
from dlae_core.config.shape_rules import CONTEXT_PATH, SHAPE_PATH

_MODEL = "config_file.model_signal"
_SERIAL, _GENERATOR, _DISCRIMINATOR = (
    f"layers.{key}" for key in (SERIAL, GENERATOR, DISCRIMINATOR)
)
_LISTS = (_SERIAL, _GENERATOR, _DISCRIMINATOR)
_CATEGORIES = "preprocessing.categories"
_HARDWARE = "training_configurations.hardware"
_PARAMETERS = ("loss_function.parameter1", "loss_function.parameter2")
_INTENSITIES = ("preprocessing.minimum_image_intensity", "preprocessing.maximum_image_intensity")
_VALIDATION = ("paths.validation_X", "paths.validation_y")
_RATIOS = ("bbd_options.aspect_ratios_type", "bbd_options.aspect_ratios")
_PER_HOOK = ("bbd_options.scaling_type", "bbd_options.scales", *_RATIOS)
_IOU = ("bbd_options.positive_iou_threshold", "bbd_options.negative_iou_limit")
_IDLE = (
    detection_rules.CATEGORICAL,
    *detection_rules.IDLE_MONITORS,
    *detection_rules.IDLE_VARIATIONS,
)
_RANGES = tuple(f"augmentation.{key}" for key in augmentation_rules.RANGES)
_ANNOTATIONS, _AUGMENTING = augmentation_rules.ANNOTATION_TYPE, augmentation_rules.SWITCH
_ADDITIONAL = training_rules.ADDITIONAL
_WARM_UP = (training_rules.WARM_UP, training_rules.WARM_UP_UNIT, training_rules.EPOCHS)

RULES = (
    Rule((SESSION,), session_rules.files_of_session),
    Rule(_VALIDATION, session_rules.validation_pairs),
    Rule((SPLIT, *_VALIDATION), session_rules.validation_twice),
    Rule((split_rules.FOLDS, SPLIT, *_VALIDATION), split_rules.folds_and_other_splits),
    Rule((split_rules.FOLDS, split_rules.FOLD), split_rules.fold_of_folds),
    Rule((split_rules.GROUP, split_rules.TABLE), split_rules.groups_twice),
    Rule((_MODEL, LOSS), loss_rules.loss_of_model),
    Rule((LOSS, SWITCH), loss_rules.targets_of_loss),
    Rule((LOSS, NORMALIZATION), loss_rules.normalized_labels),
    Rule((NORMALIZATION, *_INTENSITIES), loss_rules.intensities),
    Rule((_HARDWARE,), session_rules.number_of_gpus),
    Rule((), session_rules.files_to_save),
    Rule((CHECKPOINTS,), session_rules.checkpoint_names),
    Rule((_MODEL, SESSION), layer_rules.list_of_model),
    Rule(_LISTS, layer_rules.inputs),
    Rule((_MODEL, *_LISTS, SHAPE_PATH), shape_rules.input_shape),
    Rule((_MODEL, *_LISTS, CONTEXT_PATH), shape_rules.image_context),
    Rule((_MODEL, LOSS, _GENERATOR, _DISCRIMINATOR), shape_rules.gan_shapes),
    Rule((LOSS, *_LISTS), shape_rules.backbone_shapes),
    Rule(_LISTS, layer_rules.ranks),
    Rule(_LISTS, layer_rules.permutations),
    Rule(_LISTS, layer_rules.dilations),
    Rule(_LISTS, connection_rules.sources_of_skips),
    Rule((_MODEL, _SERIAL), connection_rules.hooks_of_detector),
    Rule((_MODEL, LOSS, _CATEGORIES, _SERIAL), output_rules.class_count),
    Rule((_MODEL, _SERIAL, *_PER_HOOK), detection_rules.items_per_hook),
    Rule((_MODEL, *_RATIOS), detection_rules.global_aspect_ratios),
    Rule((_MODEL,), detection_rules.pairs),
    Rule(_RANGES, augmentation_rules.ends_of_ranges),
    Rule((_MODEL, prediction_rules.FLIPS, *_LISTS), prediction_rules.flipped_axes),
    Rule((_MODEL, LOSS, _ANNOTATIONS, _SERIAL), augmentation_rules.whole_points),
    Rule((_MODEL, LOSS, _ADDITIONAL), training_rules.additional_losses),
    Rule((LOSS, _ADDITIONAL, training_rules.WEIGHTED), training_rules.weighted_losses),
    Rule((training_rules.CLIP_NORM, training_rules.CLIP_VALUE), training_rules.one_clipping),
    Rule((LOSS, *training_rules.OF_CLASSES), training_rules.metrics_of_classes),
    Rule((_MODEL, LOSS, _ANNOTATIONS, training_rules.OF_POINTS), training_rules.metrics_of_points),
    Rule(
        (_MODEL, adversarial_rules.POOL, adversarial_rules.BATCH),
        adversarial_rules.pool_of_batches,
    ),
    Rule(
        (LOSS, adversarial_rules.UNPAIRED, *adversarial_rules.OF_PAIRS),
        adversarial_rules.unpaired_images,
    ),
    Rule((_MODEL, LOSS, *adversarial_rules.OF_IMAGES), adversarial_rules.metrics_of_images),
)

ADVICE = (
    Rule((EARLY_STOP, PLATEAU, SPLIT, split_rules.FOLDS, *_VALIDATION), session_rules.unwatched),
    Rule(
        (BFLOAT16, INT8, PRECISION, SESSION, SPLIT, split_rules.FOLDS, *_VALIDATION),
        session_rules.unjudged_precisions,
    ),
    Rule((SPLIT, split_rules.FOLDS, *_VALIDATION), split_rules.idle_groups),
    Rule((SESSION,), session_rules.unused_files),
    Rule(
        (_MODEL, EXAMPLES, SPLIT, split_rules.FOLDS, *_VALIDATION),
        session_rules.undrawn_examples,
    ),
    Rule((LOSS, *_PARAMETERS), loss_rules.degenerate_parameters),
    Rule((NORMALIZATION,), loss_rules.undone_centering),
    Rule((_MODEL, *_LISTS), layer_rules.other_lists),
    Rule((_MODEL, *_LISTS, SHAPE_PATH), shape_rules.other_input_shape),
    Rule((_MODEL, *_LISTS, CONTEXT_PATH), shape_rules.volumes_as_slices),
    Rule(_LISTS, layer_rules.zero_based_permutations),
    Rule((LOSS, *_LISTS), layer_rules.averaged_kernels),
    Rule((NORMALIZATION, *_LISTS), layer_rules.scaled_inputs),
    Rule(_LISTS, connection_rules.types_of_skips),
    Rule(_LISTS, connection_rules.nested_inner_skips),
    Rule(_LISTS, connection_rules.dropped_sources),
    Rule((_MODEL, *_LISTS), connection_rules.idle_hooks),
    Rule((_MODEL, _SERIAL), connection_rules.layers_after_hooks),
    Rule((_MODEL, LOSS, _SERIAL), output_rules.no_probabilities),
    Rule((_MODEL, NORMALIZATION, _GENERATOR), output_rules.unscaled_targets),
    Rule((_MODEL, *_PER_HOOK, *_IOU), detection_rules.idle_options),
    Rule((_MODEL, _AUGMENTING, *_IDLE), detection_rules.idle_settings),
    Rule((_MODEL, LOSS, _ANNOTATIONS, _AUGMENTING), augmentation_rules.unmoved_values),
    Rule((NORMALIZATION, _AUGMENTING), augmentation_rules.undone_brightness),
    Rule(_WARM_UP, training_rules.long_warm_up),
    Rule((_MODEL, LOSS, SESSION), prediction_rules.idle_settings),
    Rule((_MODEL, adversarial_rules.POOL, PLATEAU), adversarial_rules.idle_settings),
)
