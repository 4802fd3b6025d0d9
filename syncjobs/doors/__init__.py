"""Every door that starts a job from outside: web services, the register page, job status."""
