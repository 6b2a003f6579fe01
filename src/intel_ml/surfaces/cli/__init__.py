"""The command line: `intel-ml …`.

main        the entry: commands, errors as one line, exit codes
opening     what every command does first
output      what a command prints, for people or as JSON
running     up, process, status, doctor, run, lab
control     kill, revive, audit, actions
data        import, accounts, users, tokens, database
features    list, export, compute
models      list, show, promote, demote, rollback, compare
autonomy    list, grant, revoke, history
sandbox     advance, clock, writes, evaluate
worlds      worlds, check, serve of the sandbox
"""
