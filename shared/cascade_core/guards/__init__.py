"""What stands between the decision loop and its calls: budgets, breakers and time.

A guard may keep a call from being made; the loop then sees the call fail, with an error that says
why (`errors.NotAskedError`), and goes on as with any other failure. `loop.guarded` puts guards and
loop together.
"""
