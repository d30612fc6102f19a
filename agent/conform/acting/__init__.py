"""An agent that is played, for those who write a platform: it behaves, and misbehaves when it is told to."""
