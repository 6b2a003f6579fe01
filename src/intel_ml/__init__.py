"""Campaign Intelligence Engine: the listing is the flow; a file imports only from folders above.

core          words: frozen values, enums, errors; standard library only
data          facts in: Meta's API, the sandbox, files, the store, the collector
features      facts to numbers: one definition of every feature
intelligence  numbers to opinions: archetypes, patterns, policies
judgement     opinions and rules to one recommendation
learning      outcomes back to better opinions
operations    recommendation to changed account: the only stage that can act
reporting     what people are told
surfaces      doors: settings, API, pages, notebooks' door, jobs, command line
"""
