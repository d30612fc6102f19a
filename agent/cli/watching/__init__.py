"""The full-screen view of `tsq-agent watch`: where its data come from, what is made of them, how they are shown."""
