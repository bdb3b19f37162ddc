"""The numpy forward pass: stepping with the cache is the same as reading at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cascade_demo.generate import log_softmax
from cascade_demo.model import CONTEXT, WEIGHTS, ContextLengthError, LanguageModel, load_embedded

PROMPT = "where is my order 4711? you sent it with dhl."


def ids(model: LanguageModel) -> list[int]:
    return [*model.tokenizer.encode(PROMPT), model.tokenizer.separator]


@pytest.mark.parametrize("name", ["desk-small", "desk-large"])
def test_stepping_through_a_prompt_equals_reading_it_at_once(name: str) -> None:
    model = load_embedded(name)
    prompt = ids(model)
    run = model.start(prompt[:1])
    for length, token in enumerate(prompt[1:], start=2):
        stepped = run.step(token)
        np.testing.assert_allclose(stepped, model.start(prompt[:length]).logits, atol=2e-4)


def test_a_text_longer_than_the_first_cache_goes_on_unchanged(small: LanguageModel) -> None:
    prompt = ids(small) * 12
    run = small.start(prompt[:5])
    for token in prompt[5:]:
        run.step(token)
    np.testing.assert_allclose(run.logits, small.start(prompt).logits, atol=2e-4)


def test_logprobs_are_a_distribution(large: LanguageModel) -> None:
    logprobs = log_softmax(large.start(ids(large)).logits)
    assert np.exp(logprobs).sum() == pytest.approx(1, abs=1e-5)
    assert (logprobs <= 0).all()


def test_runs_in_many_threads_do_not_disturb_each_other(small: LanguageModel) -> None:
    prompts = [ids(small)[: 3 + n] for n in range(8)]

    def walk(prompt: list[int]) -> list[float]:
        run = small.start(prompt)
        return [float(run.step(300 + n).max()) for n in range(30)]

    alone = [walk(prompt) for prompt in prompts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(walk, prompts)) == alone


def test_a_prompt_that_fills_the_context_is_refused_with_both_lengths(small: LanguageModel) -> None:
    with pytest.raises(ContextLengthError, match=f"{CONTEXT + 9} tokens.*{CONTEXT}"):
        small.start([300] * (CONTEXT + 9))


def test_a_full_context_takes_no_further_token(small: LanguageModel) -> None:
    run = small.start([300] * (CONTEXT - 1))
    run.step(300)
    assert run.full
    with pytest.raises(ContextLengthError):
        run.step(300)


def test_an_unknown_model_is_named_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"desk-huge.*desk-small, desk-large"):
        load_embedded("desk-huge")


def test_the_shipped_weights_stay_under_four_megabytes() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= 4_000_000
