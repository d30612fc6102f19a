"""The platform: registry, diagnosis, roadmap, matching, mentoring, verification."""
