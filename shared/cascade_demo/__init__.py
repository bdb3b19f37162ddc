"""The embedded default: a support desk answered by two small, real language models.

Everything needed to try, test and measure a cascade without a key or a network. The models
were trained from scratch on generated tickets and run with numpy, so their mistakes and
their token logprobs are real. Billing dates and password resets the small one answers
well; disputes, exceptions and sums it often gets wrong, and mostly knows it.

- `desk`: draws tickets with their right answers, and grades. Start reading here.
- `cases`, `phrases`: the desk's rules, and how customers word things.
- `tokenizer`, `model`, `generate`: from text to tokens, logits and an answer.
- `protocol`, `app`, `server`: the OpenAI-compatible HTTP interface.
- `prices`: what the two models are said to cost.
- `knowledge`, `retrieval`: the desk's knowledge base, and how a passage is found.
- `measure`, `asking`: `cascade demo`, the same for every framework, and what it needs of one.

Importing this package imports nothing else; `desk` and `prices` need the standard library
only.
"""
