"""Hostile input for every decoder, importer and the YAML loader: no crash, no hang, no wrong value.

A target (`tests.fuzz.targets`) takes bytes, makes input of them, and fails when something else comes out than a
value that an independent reference confirms, or the error that the function promises. The same targets run

    in `make test`   over the stored corpus, a few hundred random inputs and mutations of the seeds (`test_fuzz.py`)
    by `make fuzz`   under atheris, guided by the coverage of our code, 10 minutes in all (`python -m tests.fuzz`)

What atheris finds goes into `tests/fuzz/corpus/<target>/` and stays there.
"""
