"""From tag lists that others made (XG5000 exports, CSV, Excel) to a device section of our YAML.

    file --encoding, rows, excel--> cells --table--> variables --types, roles, ids--> signals --document--> YAML

Everything but `excel` and `file` is pure. Nothing is guessed silently: what was taken for what is told, roles are
marked as guesses, and every variable that is left out is listed with its line and the reason.
"""
