"""The five applications of the manual of DLAE 1.0 (section 12), on generated phantoms.

Their patients' images are not public. The phantoms resemble the tasks: the shapes of the images,
what is to be found in them and what is in its way. The qualities reached on them say that the
networks learn such tasks, and nothing about patients.
"""
