"""What people in a factory, and the factory among others, are protected by. Pure.

bands       public bands of budgets: the price constraint looks at a band's upper end only
notice      the notice to the people who work there, and whether anything may be released before it was given
retention   how long what is kept under which scope, and why
"""
