from dlae.v1 import layers_pb2 as _layers_pb2
from dlae.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Config(_message.Message):
    __slots__ = ("config_file", "paths", "preprocessing", "augmentation", "loss_function", "learning_rate_schedule", "optimizer", "training_configurations", "monitors", "save_configurations", "bbd_options", "layers", "prediction")
    CONFIG_FILE_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    PREPROCESSING_FIELD_NUMBER: _ClassVar[int]
    AUGMENTATION_FIELD_NUMBER: _ClassVar[int]
    LOSS_FUNCTION_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    TRAINING_CONFIGURATIONS_FIELD_NUMBER: _ClassVar[int]
    MONITORS_FIELD_NUMBER: _ClassVar[int]
    SAVE_CONFIGURATIONS_FIELD_NUMBER: _ClassVar[int]
    BBD_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_FIELD_NUMBER: _ClassVar[int]
    config_file: ConfigFile
    paths: Paths
    preprocessing: Preprocessing
    augmentation: Augmentation
    loss_function: LossFunction
    learning_rate_schedule: LearningRateSchedule
    optimizer: Optimizer
    training_configurations: TrainingConfigurations
    monitors: Monitors
    save_configurations: SaveConfigurations
    bbd_options: BbdOptions
    layers: Layers
    prediction: Prediction
    def __init__(self, config_file: _Optional[_Union[ConfigFile, _Mapping]] = ..., paths: _Optional[_Union[Paths, _Mapping]] = ..., preprocessing: _Optional[_Union[Preprocessing, _Mapping]] = ..., augmentation: _Optional[_Union[Augmentation, _Mapping]] = ..., loss_function: _Optional[_Union[LossFunction, _Mapping]] = ..., learning_rate_schedule: _Optional[_Union[LearningRateSchedule, _Mapping]] = ..., optimizer: _Optional[_Union[Optimizer, _Mapping]] = ..., training_configurations: _Optional[_Union[TrainingConfigurations, _Mapping]] = ..., monitors: _Optional[_Union[Monitors, _Mapping]] = ..., save_configurations: _Optional[_Union[SaveConfigurations, _Mapping]] = ..., bbd_options: _Optional[_Union[BbdOptions, _Mapping]] = ..., layers: _Optional[_Union[Layers, _Mapping]] = ..., prediction: _Optional[_Union[Prediction, _Mapping]] = ...) -> None: ...

class ConfigFile(_message.Message):
    __slots__ = ("model_signal", "type_signal", "input_shape", "prebuilt")
    MODEL_SIGNAL_FIELD_NUMBER: _ClassVar[int]
    TYPE_SIGNAL_FIELD_NUMBER: _ClassVar[int]
    INPUT_SHAPE_FIELD_NUMBER: _ClassVar[int]
    PREBUILT_FIELD_NUMBER: _ClassVar[int]
    model_signal: str
    type_signal: str
    input_shape: _containers.RepeatedScalarFieldContainer[int]
    prebuilt: str
    def __init__(self, model_signal: _Optional[str] = ..., type_signal: _Optional[str] = ..., input_shape: _Optional[_Iterable[int]] = ..., prebuilt: _Optional[str] = ...) -> None: ...

class Paths(_message.Message):
    __slots__ = ("load_config", "load_checkpoint", "load_model", "train_x", "train_y", "validation_x", "validation_y", "test_x", "split_groups")
    LOAD_CONFIG_FIELD_NUMBER: _ClassVar[int]
    LOAD_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    LOAD_MODEL_FIELD_NUMBER: _ClassVar[int]
    TRAIN_X_FIELD_NUMBER: _ClassVar[int]
    TRAIN_Y_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_X_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_Y_FIELD_NUMBER: _ClassVar[int]
    TEST_X_FIELD_NUMBER: _ClassVar[int]
    SPLIT_GROUPS_FIELD_NUMBER: _ClassVar[int]
    load_config: str
    load_checkpoint: str
    load_model: str
    train_x: str
    train_y: str
    validation_x: str
    validation_y: str
    test_x: str
    split_groups: str
    def __init__(self, load_config: _Optional[str] = ..., load_checkpoint: _Optional[str] = ..., load_model: _Optional[str] = ..., train_x: _Optional[str] = ..., train_y: _Optional[str] = ..., validation_x: _Optional[str] = ..., validation_y: _Optional[str] = ..., test_x: _Optional[str] = ..., split_groups: _Optional[str] = ...) -> None: ...

class Preprocessing(_message.Message):
    __slots__ = ("minimum_image_intensity", "maximum_image_intensity", "image_context", "normalization_type", "categorical_switch", "categories", "weight_loss_switch", "repeat_x_switch", "repeat_x_quantity", "annotation_type")
    MINIMUM_IMAGE_INTENSITY_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_IMAGE_INTENSITY_FIELD_NUMBER: _ClassVar[int]
    IMAGE_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    NORMALIZATION_TYPE_FIELD_NUMBER: _ClassVar[int]
    CATEGORICAL_SWITCH_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_LOSS_SWITCH_FIELD_NUMBER: _ClassVar[int]
    REPEAT_X_SWITCH_FIELD_NUMBER: _ClassVar[int]
    REPEAT_X_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ANNOTATION_TYPE_FIELD_NUMBER: _ClassVar[int]
    minimum_image_intensity: _containers.RepeatedScalarFieldContainer[float]
    maximum_image_intensity: _containers.RepeatedScalarFieldContainer[float]
    image_context: str
    normalization_type: str
    categorical_switch: bool
    categories: int
    weight_loss_switch: bool
    repeat_x_switch: bool
    repeat_x_quantity: int
    annotation_type: str
    def __init__(self, minimum_image_intensity: _Optional[_Iterable[float]] = ..., maximum_image_intensity: _Optional[_Iterable[float]] = ..., image_context: _Optional[str] = ..., normalization_type: _Optional[str] = ..., categorical_switch: bool = ..., categories: _Optional[int] = ..., weight_loss_switch: bool = ..., repeat_x_switch: bool = ..., repeat_x_quantity: _Optional[int] = ..., annotation_type: _Optional[str] = ...) -> None: ...

class Augmentation(_message.Message):
    __slots__ = ("apply_augmentation_switch", "featurewise_centering_switch", "samplewise_centering_switch", "featurewise_normalization_switch", "samplewise_normalization_switch", "width_shift", "height_shift", "rotation_range", "brightness_range", "shear_range", "zoom_range", "channel_shift_range", "fill_mode", "cval", "horizontal_flip_switch", "vertical_flip_switch", "rounds", "zca_epsilon", "random_seed", "interpolation", "rotation_axes", "voxel_size", "bbd_zoom_in_first_probability", "bbd_translation_probability", "bbd_translation_range", "bbd_zoom_probability", "bbd_zoom_in_range", "bbd_zoom_out_range", "bbd_flip_probability", "bbd_minimum_overlap", "bbd_minimum_area", "bbd_trials")
    APPLY_AUGMENTATION_SWITCH_FIELD_NUMBER: _ClassVar[int]
    FEATUREWISE_CENTERING_SWITCH_FIELD_NUMBER: _ClassVar[int]
    SAMPLEWISE_CENTERING_SWITCH_FIELD_NUMBER: _ClassVar[int]
    FEATUREWISE_NORMALIZATION_SWITCH_FIELD_NUMBER: _ClassVar[int]
    SAMPLEWISE_NORMALIZATION_SWITCH_FIELD_NUMBER: _ClassVar[int]
    WIDTH_SHIFT_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_SHIFT_FIELD_NUMBER: _ClassVar[int]
    ROTATION_RANGE_FIELD_NUMBER: _ClassVar[int]
    BRIGHTNESS_RANGE_FIELD_NUMBER: _ClassVar[int]
    SHEAR_RANGE_FIELD_NUMBER: _ClassVar[int]
    ZOOM_RANGE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_SHIFT_RANGE_FIELD_NUMBER: _ClassVar[int]
    FILL_MODE_FIELD_NUMBER: _ClassVar[int]
    CVAL_FIELD_NUMBER: _ClassVar[int]
    HORIZONTAL_FLIP_SWITCH_FIELD_NUMBER: _ClassVar[int]
    VERTICAL_FLIP_SWITCH_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    ZCA_EPSILON_FIELD_NUMBER: _ClassVar[int]
    RANDOM_SEED_FIELD_NUMBER: _ClassVar[int]
    INTERPOLATION_FIELD_NUMBER: _ClassVar[int]
    ROTATION_AXES_FIELD_NUMBER: _ClassVar[int]
    VOXEL_SIZE_FIELD_NUMBER: _ClassVar[int]
    BBD_ZOOM_IN_FIRST_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    BBD_TRANSLATION_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    BBD_TRANSLATION_RANGE_FIELD_NUMBER: _ClassVar[int]
    BBD_ZOOM_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    BBD_ZOOM_IN_RANGE_FIELD_NUMBER: _ClassVar[int]
    BBD_ZOOM_OUT_RANGE_FIELD_NUMBER: _ClassVar[int]
    BBD_FLIP_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    BBD_MINIMUM_OVERLAP_FIELD_NUMBER: _ClassVar[int]
    BBD_MINIMUM_AREA_FIELD_NUMBER: _ClassVar[int]
    BBD_TRIALS_FIELD_NUMBER: _ClassVar[int]
    apply_augmentation_switch: bool
    featurewise_centering_switch: bool
    samplewise_centering_switch: bool
    featurewise_normalization_switch: bool
    samplewise_normalization_switch: bool
    width_shift: float
    height_shift: float
    rotation_range: float
    brightness_range: _containers.RepeatedScalarFieldContainer[float]
    shear_range: float
    zoom_range: float
    channel_shift_range: float
    fill_mode: str
    cval: float
    horizontal_flip_switch: bool
    vertical_flip_switch: bool
    rounds: int
    zca_epsilon: float
    random_seed: int
    interpolation: str
    rotation_axes: str
    voxel_size: _containers.RepeatedScalarFieldContainer[float]
    bbd_zoom_in_first_probability: float
    bbd_translation_probability: float
    bbd_translation_range: _containers.RepeatedScalarFieldContainer[float]
    bbd_zoom_probability: float
    bbd_zoom_in_range: _containers.RepeatedScalarFieldContainer[float]
    bbd_zoom_out_range: _containers.RepeatedScalarFieldContainer[float]
    bbd_flip_probability: float
    bbd_minimum_overlap: float
    bbd_minimum_area: float
    bbd_trials: int
    def __init__(self, apply_augmentation_switch: bool = ..., featurewise_centering_switch: bool = ..., samplewise_centering_switch: bool = ..., featurewise_normalization_switch: bool = ..., samplewise_normalization_switch: bool = ..., width_shift: _Optional[float] = ..., height_shift: _Optional[float] = ..., rotation_range: _Optional[float] = ..., brightness_range: _Optional[_Iterable[float]] = ..., shear_range: _Optional[float] = ..., zoom_range: _Optional[float] = ..., channel_shift_range: _Optional[float] = ..., fill_mode: _Optional[str] = ..., cval: _Optional[float] = ..., horizontal_flip_switch: bool = ..., vertical_flip_switch: bool = ..., rounds: _Optional[int] = ..., zca_epsilon: _Optional[float] = ..., random_seed: _Optional[int] = ..., interpolation: _Optional[str] = ..., rotation_axes: _Optional[str] = ..., voxel_size: _Optional[_Iterable[float]] = ..., bbd_zoom_in_first_probability: _Optional[float] = ..., bbd_translation_probability: _Optional[float] = ..., bbd_translation_range: _Optional[_Iterable[float]] = ..., bbd_zoom_probability: _Optional[float] = ..., bbd_zoom_in_range: _Optional[_Iterable[float]] = ..., bbd_zoom_out_range: _Optional[_Iterable[float]] = ..., bbd_flip_probability: _Optional[float] = ..., bbd_minimum_overlap: _Optional[float] = ..., bbd_minimum_area: _Optional[float] = ..., bbd_trials: _Optional[int] = ...) -> None: ...

class LossFunction(_message.Message):
    __slots__ = ("loss", "parameter1", "parameter2", "additional_losses")
    LOSS_FIELD_NUMBER: _ClassVar[int]
    PARAMETER1_FIELD_NUMBER: _ClassVar[int]
    PARAMETER2_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_LOSSES_FIELD_NUMBER: _ClassVar[int]
    loss: str
    parameter1: float
    parameter2: float
    additional_losses: _containers.RepeatedCompositeFieldContainer[AdditionalLoss]
    def __init__(self, loss: _Optional[str] = ..., parameter1: _Optional[float] = ..., parameter2: _Optional[float] = ..., additional_losses: _Optional[_Iterable[_Union[AdditionalLoss, _Mapping]]] = ...) -> None: ...

class AdditionalLoss(_message.Message):
    __slots__ = ("loss", "weight", "parameter1", "parameter2")
    LOSS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    PARAMETER1_FIELD_NUMBER: _ClassVar[int]
    PARAMETER2_FIELD_NUMBER: _ClassVar[int]
    loss: str
    weight: float
    parameter1: float
    parameter2: float
    def __init__(self, loss: _Optional[str] = ..., weight: _Optional[float] = ..., parameter1: _Optional[float] = ..., parameter2: _Optional[float] = ...) -> None: ...

class LearningRateSchedule(_message.Message):
    __slots__ = ("learning_rate", "learning_rate_decay_factor", "decay_on_plateau_switch", "decay_on_plateau_factor", "decay_on_plateau_patience", "step_decay_switch", "step_decay_factor", "step_decay_period", "discriminator_learning_rate", "gan_learning_rate", "warm_up_length", "warm_up_unit", "cosine_decay_switch", "cosine_decay_floor")
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_DECAY_FACTOR_FIELD_NUMBER: _ClassVar[int]
    DECAY_ON_PLATEAU_SWITCH_FIELD_NUMBER: _ClassVar[int]
    DECAY_ON_PLATEAU_FACTOR_FIELD_NUMBER: _ClassVar[int]
    DECAY_ON_PLATEAU_PATIENCE_FIELD_NUMBER: _ClassVar[int]
    STEP_DECAY_SWITCH_FIELD_NUMBER: _ClassVar[int]
    STEP_DECAY_FACTOR_FIELD_NUMBER: _ClassVar[int]
    STEP_DECAY_PERIOD_FIELD_NUMBER: _ClassVar[int]
    DISCRIMINATOR_LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    GAN_LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    WARM_UP_LENGTH_FIELD_NUMBER: _ClassVar[int]
    WARM_UP_UNIT_FIELD_NUMBER: _ClassVar[int]
    COSINE_DECAY_SWITCH_FIELD_NUMBER: _ClassVar[int]
    COSINE_DECAY_FLOOR_FIELD_NUMBER: _ClassVar[int]
    learning_rate: float
    learning_rate_decay_factor: float
    decay_on_plateau_switch: bool
    decay_on_plateau_factor: float
    decay_on_plateau_patience: int
    step_decay_switch: bool
    step_decay_factor: float
    step_decay_period: int
    discriminator_learning_rate: DecayingRate
    gan_learning_rate: DecayingRate
    warm_up_length: int
    warm_up_unit: str
    cosine_decay_switch: bool
    cosine_decay_floor: float
    def __init__(self, learning_rate: _Optional[float] = ..., learning_rate_decay_factor: _Optional[float] = ..., decay_on_plateau_switch: bool = ..., decay_on_plateau_factor: _Optional[float] = ..., decay_on_plateau_patience: _Optional[int] = ..., step_decay_switch: bool = ..., step_decay_factor: _Optional[float] = ..., step_decay_period: _Optional[int] = ..., discriminator_learning_rate: _Optional[_Union[DecayingRate, _Mapping]] = ..., gan_learning_rate: _Optional[_Union[DecayingRate, _Mapping]] = ..., warm_up_length: _Optional[int] = ..., warm_up_unit: _Optional[str] = ..., cosine_decay_switch: bool = ..., cosine_decay_floor: _Optional[float] = ...) -> None: ...

class DecayingRate(_message.Message):
    __slots__ = ("learning_rate", "decay_factor")
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    DECAY_FACTOR_FIELD_NUMBER: _ClassVar[int]
    learning_rate: float
    decay_factor: float
    def __init__(self, learning_rate: _Optional[float] = ..., decay_factor: _Optional[float] = ...) -> None: ...

class Optimizer(_message.Message):
    __slots__ = ("optimizer", "beta1", "beta2", "rho", "momentum", "epsilon", "discriminator_optimizer", "gan_optimizer", "gradient_clip_norm", "gradient_clip_value", "weight_decay")
    OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    BETA1_FIELD_NUMBER: _ClassVar[int]
    BETA2_FIELD_NUMBER: _ClassVar[int]
    RHO_FIELD_NUMBER: _ClassVar[int]
    MOMENTUM_FIELD_NUMBER: _ClassVar[int]
    EPSILON_FIELD_NUMBER: _ClassVar[int]
    DISCRIMINATOR_OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    GAN_OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_CLIP_NORM_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_CLIP_VALUE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_DECAY_FIELD_NUMBER: _ClassVar[int]
    optimizer: str
    beta1: float
    beta2: float
    rho: float
    momentum: float
    epsilon: float
    discriminator_optimizer: OptimizerSettings
    gan_optimizer: OptimizerSettings
    gradient_clip_norm: float
    gradient_clip_value: float
    weight_decay: float
    def __init__(self, optimizer: _Optional[str] = ..., beta1: _Optional[float] = ..., beta2: _Optional[float] = ..., rho: _Optional[float] = ..., momentum: _Optional[float] = ..., epsilon: _Optional[float] = ..., discriminator_optimizer: _Optional[_Union[OptimizerSettings, _Mapping]] = ..., gan_optimizer: _Optional[_Union[OptimizerSettings, _Mapping]] = ..., gradient_clip_norm: _Optional[float] = ..., gradient_clip_value: _Optional[float] = ..., weight_decay: _Optional[float] = ...) -> None: ...

class OptimizerSettings(_message.Message):
    __slots__ = ("optimizer", "beta1", "beta2", "rho", "momentum", "epsilon")
    OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    BETA1_FIELD_NUMBER: _ClassVar[int]
    BETA2_FIELD_NUMBER: _ClassVar[int]
    RHO_FIELD_NUMBER: _ClassVar[int]
    MOMENTUM_FIELD_NUMBER: _ClassVar[int]
    EPSILON_FIELD_NUMBER: _ClassVar[int]
    optimizer: str
    beta1: float
    beta2: float
    rho: float
    momentum: float
    epsilon: float
    def __init__(self, optimizer: _Optional[str] = ..., beta1: _Optional[float] = ..., beta2: _Optional[float] = ..., rho: _Optional[float] = ..., momentum: _Optional[float] = ..., epsilon: _Optional[float] = ...) -> None: ...

class TrainingConfigurations(_message.Message):
    __slots__ = ("hardware", "number_of_gpus", "early_stop_switch", "early_stop_patience", "batch_size", "epochs", "shuffle_data_switch", "validation_split", "folds", "fold", "split_group", "data_threads", "data_memory", "restore_best_switch", "recovery_period", "frozen_layers", "match_weights_by", "deterministic_switch", "precision", "jit_compile_switch", "steps_per_call", "image_pool", "unpaired_switch")
    HARDWARE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_OF_GPUS_FIELD_NUMBER: _ClassVar[int]
    EARLY_STOP_SWITCH_FIELD_NUMBER: _ClassVar[int]
    EARLY_STOP_PATIENCE_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_DATA_SWITCH_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_SPLIT_FIELD_NUMBER: _ClassVar[int]
    FOLDS_FIELD_NUMBER: _ClassVar[int]
    FOLD_FIELD_NUMBER: _ClassVar[int]
    SPLIT_GROUP_FIELD_NUMBER: _ClassVar[int]
    DATA_THREADS_FIELD_NUMBER: _ClassVar[int]
    DATA_MEMORY_FIELD_NUMBER: _ClassVar[int]
    RESTORE_BEST_SWITCH_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_PERIOD_FIELD_NUMBER: _ClassVar[int]
    FROZEN_LAYERS_FIELD_NUMBER: _ClassVar[int]
    MATCH_WEIGHTS_BY_FIELD_NUMBER: _ClassVar[int]
    DETERMINISTIC_SWITCH_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    JIT_COMPILE_SWITCH_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_CALL_FIELD_NUMBER: _ClassVar[int]
    IMAGE_POOL_FIELD_NUMBER: _ClassVar[int]
    UNPAIRED_SWITCH_FIELD_NUMBER: _ClassVar[int]
    hardware: str
    number_of_gpus: int
    early_stop_switch: bool
    early_stop_patience: int
    batch_size: int
    epochs: int
    shuffle_data_switch: bool
    validation_split: float
    folds: int
    fold: int
    split_group: str
    data_threads: int
    data_memory: int
    restore_best_switch: bool
    recovery_period: int
    frozen_layers: str
    match_weights_by: str
    deterministic_switch: bool
    precision: str
    jit_compile_switch: bool
    steps_per_call: int
    image_pool: int
    unpaired_switch: bool
    def __init__(self, hardware: _Optional[str] = ..., number_of_gpus: _Optional[int] = ..., early_stop_switch: bool = ..., early_stop_patience: _Optional[int] = ..., batch_size: _Optional[int] = ..., epochs: _Optional[int] = ..., shuffle_data_switch: bool = ..., validation_split: _Optional[float] = ..., folds: _Optional[int] = ..., fold: _Optional[int] = ..., split_group: _Optional[str] = ..., data_threads: _Optional[int] = ..., data_memory: _Optional[int] = ..., restore_best_switch: bool = ..., recovery_period: _Optional[int] = ..., frozen_layers: _Optional[str] = ..., match_weights_by: _Optional[str] = ..., deterministic_switch: bool = ..., precision: _Optional[str] = ..., jit_compile_switch: bool = ..., steps_per_call: _Optional[int] = ..., image_pool: _Optional[int] = ..., unpaired_switch: bool = ...) -> None: ...

class Monitors(_message.Message):
    __slots__ = ("mse_switch", "mae_switch", "accuracy_switch", "dice_switch", "iou_switch", "auc_switch", "sensitivity_switch", "specificity_switch", "coordinate_error_switch", "psnr_switch", "ssim_switch", "average_precision_switch")
    MSE_SWITCH_FIELD_NUMBER: _ClassVar[int]
    MAE_SWITCH_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_SWITCH_FIELD_NUMBER: _ClassVar[int]
    DICE_SWITCH_FIELD_NUMBER: _ClassVar[int]
    IOU_SWITCH_FIELD_NUMBER: _ClassVar[int]
    AUC_SWITCH_FIELD_NUMBER: _ClassVar[int]
    SENSITIVITY_SWITCH_FIELD_NUMBER: _ClassVar[int]
    SPECIFICITY_SWITCH_FIELD_NUMBER: _ClassVar[int]
    COORDINATE_ERROR_SWITCH_FIELD_NUMBER: _ClassVar[int]
    PSNR_SWITCH_FIELD_NUMBER: _ClassVar[int]
    SSIM_SWITCH_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_PRECISION_SWITCH_FIELD_NUMBER: _ClassVar[int]
    mse_switch: bool
    mae_switch: bool
    accuracy_switch: bool
    dice_switch: bool
    iou_switch: bool
    auc_switch: bool
    sensitivity_switch: bool
    specificity_switch: bool
    coordinate_error_switch: bool
    psnr_switch: bool
    ssim_switch: bool
    average_precision_switch: bool
    def __init__(self, mse_switch: bool = ..., mae_switch: bool = ..., accuracy_switch: bool = ..., dice_switch: bool = ..., iou_switch: bool = ..., auc_switch: bool = ..., sensitivity_switch: bool = ..., specificity_switch: bool = ..., coordinate_error_switch: bool = ..., psnr_switch: bool = ..., ssim_switch: bool = ..., average_precision_switch: bool = ...) -> None: ...

class SaveConfigurations(_message.Message):
    __slots__ = ("save_model_switch", "save_model_path", "save_csv_switch", "save_csv_path", "save_checkpoints_switch", "save_checkpoints_path", "save_checkpoints_frequency", "save_tensorboard_switch", "save_tensorboard_path", "save_tensorboard_frequency", "example_images", "legacy_predictions_switch", "bfloat16_switch", "int8_switch", "precision_tolerance")
    SAVE_MODEL_SWITCH_FIELD_NUMBER: _ClassVar[int]
    SAVE_MODEL_PATH_FIELD_NUMBER: _ClassVar[int]
    SAVE_CSV_SWITCH_FIELD_NUMBER: _ClassVar[int]
    SAVE_CSV_PATH_FIELD_NUMBER: _ClassVar[int]
    SAVE_CHECKPOINTS_SWITCH_FIELD_NUMBER: _ClassVar[int]
    SAVE_CHECKPOINTS_PATH_FIELD_NUMBER: _ClassVar[int]
    SAVE_CHECKPOINTS_FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    SAVE_TENSORBOARD_SWITCH_FIELD_NUMBER: _ClassVar[int]
    SAVE_TENSORBOARD_PATH_FIELD_NUMBER: _ClassVar[int]
    SAVE_TENSORBOARD_FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_IMAGES_FIELD_NUMBER: _ClassVar[int]
    LEGACY_PREDICTIONS_SWITCH_FIELD_NUMBER: _ClassVar[int]
    BFLOAT16_SWITCH_FIELD_NUMBER: _ClassVar[int]
    INT8_SWITCH_FIELD_NUMBER: _ClassVar[int]
    PRECISION_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    save_model_switch: bool
    save_model_path: str
    save_csv_switch: bool
    save_csv_path: str
    save_checkpoints_switch: bool
    save_checkpoints_path: str
    save_checkpoints_frequency: int
    save_tensorboard_switch: bool
    save_tensorboard_path: str
    save_tensorboard_frequency: int
    example_images: int
    legacy_predictions_switch: bool
    bfloat16_switch: bool
    int8_switch: bool
    precision_tolerance: float
    def __init__(self, save_model_switch: bool = ..., save_model_path: _Optional[str] = ..., save_csv_switch: bool = ..., save_csv_path: _Optional[str] = ..., save_checkpoints_switch: bool = ..., save_checkpoints_path: _Optional[str] = ..., save_checkpoints_frequency: _Optional[int] = ..., save_tensorboard_switch: bool = ..., save_tensorboard_path: _Optional[str] = ..., save_tensorboard_frequency: _Optional[int] = ..., example_images: _Optional[int] = ..., legacy_predictions_switch: bool = ..., bfloat16_switch: bool = ..., int8_switch: bool = ..., precision_tolerance: _Optional[float] = ...) -> None: ...

class BbdOptions(_message.Message):
    __slots__ = ("scaling_type", "scales", "aspect_ratios_type", "aspect_ratios", "number_classes", "steps", "offsets", "variances", "confidence_threshold", "iou_threshold", "top_k", "nms_maximum_output", "coordinates_type", "two_boxes_for_ar1_switch", "clip_boxes_switch", "normalize_coordinates_switch", "positive_iou_threshold", "negative_iou_limit")
    SCALING_TYPE_FIELD_NUMBER: _ClassVar[int]
    SCALES_FIELD_NUMBER: _ClassVar[int]
    ASPECT_RATIOS_TYPE_FIELD_NUMBER: _ClassVar[int]
    ASPECT_RATIOS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_CLASSES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    VARIANCES_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    IOU_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    NMS_MAXIMUM_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    COORDINATES_TYPE_FIELD_NUMBER: _ClassVar[int]
    TWO_BOXES_FOR_AR1_SWITCH_FIELD_NUMBER: _ClassVar[int]
    CLIP_BOXES_SWITCH_FIELD_NUMBER: _ClassVar[int]
    NORMALIZE_COORDINATES_SWITCH_FIELD_NUMBER: _ClassVar[int]
    POSITIVE_IOU_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_IOU_LIMIT_FIELD_NUMBER: _ClassVar[int]
    scaling_type: str
    scales: _containers.RepeatedScalarFieldContainer[float]
    aspect_ratios_type: str
    aspect_ratios: _containers.RepeatedCompositeFieldContainer[_layers_pb2.Numbers]
    number_classes: int
    steps: _containers.RepeatedCompositeFieldContainer[_layers_pb2.Numbers]
    offsets: _containers.RepeatedCompositeFieldContainer[_layers_pb2.Numbers]
    variances: _containers.RepeatedScalarFieldContainer[float]
    confidence_threshold: float
    iou_threshold: float
    top_k: int
    nms_maximum_output: int
    coordinates_type: str
    two_boxes_for_ar1_switch: bool
    clip_boxes_switch: bool
    normalize_coordinates_switch: bool
    positive_iou_threshold: float
    negative_iou_limit: float
    def __init__(self, scaling_type: _Optional[str] = ..., scales: _Optional[_Iterable[float]] = ..., aspect_ratios_type: _Optional[str] = ..., aspect_ratios: _Optional[_Iterable[_Union[_layers_pb2.Numbers, _Mapping]]] = ..., number_classes: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[_layers_pb2.Numbers, _Mapping]]] = ..., offsets: _Optional[_Iterable[_Union[_layers_pb2.Numbers, _Mapping]]] = ..., variances: _Optional[_Iterable[float]] = ..., confidence_threshold: _Optional[float] = ..., iou_threshold: _Optional[float] = ..., top_k: _Optional[int] = ..., nms_maximum_output: _Optional[int] = ..., coordinates_type: _Optional[str] = ..., two_boxes_for_ar1_switch: bool = ..., clip_boxes_switch: bool = ..., normalize_coordinates_switch: bool = ..., positive_iou_threshold: _Optional[float] = ..., negative_iou_limit: _Optional[float] = ...) -> None: ...

class Layers(_message.Message):
    __slots__ = ("serial_layer_list", "generator_layer_list", "discriminator_layer_list")
    SERIAL_LAYER_LIST_FIELD_NUMBER: _ClassVar[int]
    GENERATOR_LAYER_LIST_FIELD_NUMBER: _ClassVar[int]
    DISCRIMINATOR_LAYER_LIST_FIELD_NUMBER: _ClassVar[int]
    serial_layer_list: _containers.RepeatedCompositeFieldContainer[_layers_pb2.Layer]
    generator_layer_list: _containers.RepeatedCompositeFieldContainer[_layers_pb2.Layer]
    discriminator_layer_list: _containers.RepeatedCompositeFieldContainer[_layers_pb2.Layer]
    def __init__(self, serial_layer_list: _Optional[_Iterable[_Union[_layers_pb2.Layer, _Mapping]]] = ..., generator_layer_list: _Optional[_Iterable[_Union[_layers_pb2.Layer, _Mapping]]] = ..., discriminator_layer_list: _Optional[_Iterable[_Union[_layers_pb2.Layer, _Mapping]]] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("labels_switch", "threshold", "largest_component_switch", "fill_holes_switch", "tile_overlap", "tile_blend", "flips", "images_at_once", "resize_switch", "annotation_units_switch", "precision")
    LABELS_SWITCH_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    LARGEST_COMPONENT_SWITCH_FIELD_NUMBER: _ClassVar[int]
    FILL_HOLES_SWITCH_FIELD_NUMBER: _ClassVar[int]
    TILE_OVERLAP_FIELD_NUMBER: _ClassVar[int]
    TILE_BLEND_FIELD_NUMBER: _ClassVar[int]
    FLIPS_FIELD_NUMBER: _ClassVar[int]
    IMAGES_AT_ONCE_FIELD_NUMBER: _ClassVar[int]
    RESIZE_SWITCH_FIELD_NUMBER: _ClassVar[int]
    ANNOTATION_UNITS_SWITCH_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    labels_switch: bool
    threshold: float
    largest_component_switch: bool
    fill_holes_switch: bool
    tile_overlap: float
    tile_blend: str
    flips: _containers.RepeatedScalarFieldContainer[int]
    images_at_once: int
    resize_switch: bool
    annotation_units_switch: bool
    precision: str
    def __init__(self, labels_switch: bool = ..., threshold: _Optional[float] = ..., largest_component_switch: bool = ..., fill_holes_switch: bool = ..., tile_overlap: _Optional[float] = ..., tile_blend: _Optional[str] = ..., flips: _Optional[_Iterable[int]] = ..., images_at_once: _Optional[int] = ..., resize_switch: bool = ..., annotation_units_switch: bool = ..., precision: _Optional[str] = ...) -> None: ...
