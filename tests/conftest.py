"""What all tests share: property tests take the same examples in every run of CI.

Elsewhere they take new ones, so that what has not been thought of is found where somebody can look.
"""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")
