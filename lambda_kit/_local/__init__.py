"""
Lambda on this machine: the Runtime API, execution environments, embedded AWS, PostgreSQL and an X-Ray daemon.
"""
