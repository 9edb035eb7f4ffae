"""The workers of jobs on the machines of a Ray cluster.

Ray is met in one process of its own, the driver (`driver`, with `reports` and `hands`); the server
talks to it in lines of JSON (`executor`, `link`, `remote`).
"""
