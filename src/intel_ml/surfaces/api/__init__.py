"""The REST API and the logic behind the prediction service.

app            the FastAPI application of the plan's section 5
dashboard      scores, alerts and recent actions of the accounts
performance    trends, pixel health, the account's score
rules          rules: list, create, edit, delete, switch, templates
actions        proposals: list, approve, reject, modify, undo, statistics
patterns       what was learned, and learning it again
notifications  what a person should know
predictions    recommend, recommend_batch, feedback
answers        what a prediction answers, exactly
models         which models serve, and the search for newer ones
refused_models a model that may not be used, and who is told of it
callers        who calls and what they may see
boundary       what a body may be
refusals       what every refusal looks like
schemas        the models of requests and responses
card_schemas   a proposal with every fact of its card
launch         how the service is started
"""
