"""An assessment of what a factory already has in files or in a database, without an agent at its machines.

    file or query --reading--> rows --blocks--> FrameBlock --agent/analyzers--> days --readiness--> report

Only reading is new here; analyzers and formulas are those of the agent. What such a source cannot prove is not
assessed and says so (`provable`).
"""
