"""Which solution fits an open item of a roadmap, its worth, who is shown, who gets a scarce place, and why."""
