"""The Open Inference Protocol over HTTP; `application.py` and `running.py` need an extra."""
