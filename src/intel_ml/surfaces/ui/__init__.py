"""The pages people work on: approvals, dashboard, history, rules. A process of their own.

app           mounts login, pages and guards; the one place that knows Gradio
desk          what the browser asks for and what it gets: reads, decisions, refusals in words
people        login, logout, who is asking
origins       refuses what other sites send, and puts the first content into the page
shell         the frame around every page
card_html     the queue and one opened card
board_html    the dashboard
history_html  what was decided and what came of it; the rules
charts        SVG panels with labelled axes
sparkline     the fourteen days of a card
wording       escaping, numbers, money, moments
theme         style sheet and keyboard, as package data
"""
