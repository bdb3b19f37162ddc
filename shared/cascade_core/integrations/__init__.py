"""What providers and integrations call things: one table for both adapters.

- `fields`: a field of a dict or of a client's object, read the same way
- `events`: answers inside of a stream's events
- `finish`: words for why a model stopped
- `contents`: what an answer holds besides text
- `tools`: forms of tools, and of the choice between them
- `usage`: where tokens are reported, and under which names
- `answers`: all that a provider says of one answer, read of what an integration hands over
- `classes`: what is known of a model by the name of its integration's class

Shapes of log-probabilities are in `cascade_core.logprobs`. Nothing here imports an
integration: classes are known by name, so that a cascade loads only those it is made of.
"""
