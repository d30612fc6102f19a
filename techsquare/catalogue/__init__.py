"""Measures and funding programmes that can be proposed: two checked YAML files, made into a roadmap's terms.

model       what stands in the files (pydantic, as all files of this house)                pure
checks      what must hold between the entries of a file                                   pure
load        from files to a catalogue, or to everything that is wrong with them            I/O
offer       the measures that a factory could begin, out of a catalogue and its losses     pure
reference   writes docs/catalogue.md: `python -m techsquare.catalogue.reference`
"""
