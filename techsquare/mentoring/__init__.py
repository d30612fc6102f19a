"""Who looks after a factory, what is urgent, and what happens to a project over its whole life. Pure.

terms          what the parts hand to each other
calendar       planned days of a factory: due dates count these
assignment     mentors to factories by capacity, region, skills, conflicts: the best there is, explained
change         another mentor at any time, without penalty; hand-over
queue          a mentor's queue: published order, due dates
visit          the sheet of one visit
engagement     a project from the offer to the end: which event moves it, and why not
ticket         maintenance: answered in time?
takeover       the supplier is gone: what stays, who goes on, is the deposit free
ledger         what was spent on a factory, and who pays
notifications  what is told of each kind of the queue, in Korean and English
events         what is told of each step of a project, and who has something to do
"""
