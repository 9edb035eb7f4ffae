"""The kinds of task."""

CLASSIFICATION, REGRESSION, COORDINATES = "classification", "regression", "coordinates"
SEGMENTATION, IMAGES, DETECTION = "segmentation", "images", "detection"
KINDS = (CLASSIFICATION, REGRESSION, COORDINATES, SEGMENTATION, IMAGES, DETECTION)
