"""Losses by what they compare the output with; what they compute is the engine's matter."""

SPARSE_LOSS = "sparse_categorical_crossentropy"
ONE_HOT_LOSSES = (
    "categorical_crossentropy",
    "weighted_categorical_crossentropy",
    "tversky",
    "jaccard",
    "focal",
    "soft_dice",
    "jaccard_set",
)
CLASSIFICATION_LOSSES = (*ONE_HOT_LOSSES, SPARSE_LOSS)
REGRESSION_LOSSES = ("mean_squared_error", "mean_absolute_error")
# Losses that compare pixel by pixel, so that pixels can be weighted by their class.
WEIGHTED_LOSSES = (
    "categorical_crossentropy",
    "weighted_categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "jaccard",
    "focal",
)
# Losses that belong to one kind of model, and that this kind cannot do without.
LOSSES_OF_MODELS = {"GAN": ("pix2pix", "cyclegan"), "BBD": ("ssd",)}
