"""A factory without hardware: what twenty questions tell by the same ledger, and what to measure first.

terms        questions, answers, what comes of them
model        what stands in config/catalogue/entry.yaml
provisional  answers -> an account and rates, and losses by the ledger that is handed in
cheapest     which three things to measure first
stages       what every result is on day 0, 7 and 28
"""
