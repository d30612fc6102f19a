"""One module a version. What has been released never changes: a new version stands on the last one."""
