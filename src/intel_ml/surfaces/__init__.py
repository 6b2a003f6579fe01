"""DOORS: where people and programs come in.

settings      the only reader of the environment
platform      the running platform: store, reader, limits
auth, people  who may log in, and what for
api           the REST API and the predictions
ui            the pages
lab           the notebooks' door
jobs, work    scheduled runs
simulated, play, demo   simulated time, and the demo
processes, supervisor, starting, entry   the processes and their life
status, doctor   how it all is
cli           the command line
"""
