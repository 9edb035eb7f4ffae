"""Evaluation: predictions against annotations, case by case, with confidence intervals.

Light: no Keras. Libraries of metrics come with the extra `dlae[evaluation]`, imported where used.
"""
