"""The pages people work on: approvals, dashboard, history, rules. A process of their own.

app           mounts login, pages and guards; the one place that knows Gradio
guards        refuses other origins, sends strangers to the login, puts first content into pages
people        login, logout, who is asking
pages         which page answers what
visits        one look or decision: who, when, what was asked
approvals     the queue, the opened card, decisions
dashboard     one account at a glance
history       what was decided and what came of it
rules         what is watched, and the switch of each rule
sheets        pages of one account: which, and the frame around its body
idle          what an empty queue says
shell         the frame around every page
notes_html    the notes in the bar on top
card_html     the queue and one card
board_html    the dashboard
sparkline     the fourteen days of a card
charts        SVG panels with labelled axes
wording       escaping, numbers, money, moments
theme         style sheet (`page.css`) and keyboard (`keys.js`), as package data
"""
