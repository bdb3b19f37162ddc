"""Drawing tokens: logprobs, alternatives, seeds, stop strings and finish reasons."""

import numpy as np
import pytest

from cascade_demo.desk import normalise
from cascade_demo.generate import Ending, Sampling, Token, generate, log_softmax
from cascade_demo.model import CONTEXT, LanguageModel

QUESTION = "Where is my order 4711? You sent it with dhl."


def prompt_of(model: LanguageModel) -> list[int]:
    return [*model.tokenizer.encode(normalise(QUESTION)), model.tokenizer.separator]


def answer(model: LanguageModel, sampling: Sampling) -> tuple[list[Token], Ending]:
    pieces = [piece for step in generate(model, prompt_of(model), sampling) for piece in step]
    tokens = [piece for piece in pieces if isinstance(piece, Token)]
    finish = pieces[-1]
    assert isinstance(finish, Ending)
    return tokens, finish


def text(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


GREEDY = Sampling(temperature=0)


def test_greedy_takes_the_likeliest_token_each_time(small: LanguageModel) -> None:
    tokens, finish = answer(small, Sampling(temperature=0, top_logprobs=2))
    assert finish.reason == "stop"
    assert finish.tokens == len(tokens) > 0
    for token in tokens:
        assert token.alternatives[0] == (token.text, token.logprob)
        assert token.alternatives[0][1] >= token.alternatives[1][1]


def test_the_logprob_is_that_of_the_drawn_token_not_of_the_likeliest(small: LanguageModel) -> None:
    prompt = prompt_of(small)
    # At a high temperature most draws are not the likeliest token.
    tokens, _ = answer(small, Sampling(temperature=2, seed=5, max_tokens=30))
    run = small.start(prompt)
    unlikely = 0
    ids = {piece.decode("utf-8", "replace"): i for i, piece in enumerate(small.tokenizer.pieces)}
    for place, token in enumerate(tokens):
        logprobs = log_softmax(run.logits + small.silence)
        drawn = ids[token.text if place else f" {token.text}"]
        assert token.logprob == pytest.approx(float(logprobs[drawn]), abs=1e-4)
        unlikely += drawn != int(logprobs.argmax())
        run.step(drawn)
    assert unlikely > 0


def test_reported_probabilities_ignore_temperature_and_top_p(small: LanguageModel) -> None:
    plain, _ = answer(small, Sampling(temperature=0, max_tokens=1))
    shaped, _ = answer(small, Sampling(temperature=0.01, top_p=0.5, seed=1, max_tokens=1))
    assert shaped == plain


def test_all_alternatives_together_have_probability_one(small: LanguageModel) -> None:
    tokens, _ = answer(small, Sampling(temperature=0, top_logprobs=len(small.tokenizer)))
    for token in tokens:
        total = sum(np.exp(logprob) for _, logprob in token.alternatives)
        assert total == pytest.approx(1, abs=1e-4)


def test_a_seed_repeats_a_draw_and_other_seeds_differ(small: LanguageModel) -> None:
    draws = [text(answer(small, Sampling(temperature=2, seed=s))[0]) for s in (1, 1, 2, 3, 4)]
    assert draws[0] == draws[1]
    assert len(set(draws)) > 1


def test_a_tiny_top_p_is_greedy(small: LanguageModel) -> None:
    greedy = text(answer(small, GREEDY)[0])
    for top_p in (0.0, 1e-9):
        assert text(answer(small, Sampling(temperature=2, top_p=top_p, seed=1))[0]) == greedy


def test_drawing_follows_the_models_probabilities(small: LanguageModel) -> None:
    prompt = prompt_of(small)
    flat = log_softmax((small.start(prompt).logits + small.silence) / 2)
    best = int(flat.argmax())
    expected = float(np.exp(flat[best]))
    likeliest = small.tokenizer.pieces[best].decode().removeprefix(" ")
    draws = 300
    hits = sum(
        text(answer(small, Sampling(temperature=2, seed=s, max_tokens=1))[0]) == likeliest
        for s in range(draws)
    )
    assert hits / draws == pytest.approx(expected, abs=4 * (0.25 / draws) ** 0.5)


def test_max_tokens_ends_with_length(small: LanguageModel) -> None:
    whole, _ = answer(small, GREEDY)
    tokens, finish = answer(small, Sampling(temperature=0, max_tokens=3))
    assert tokens == whole[:3]
    assert finish == Ending("length", 3)


def test_a_full_context_ends_with_length(small: LanguageModel) -> None:
    fill = [*small.tokenizer.encode("a " * CONTEXT)][: CONTEXT - 3]
    # The model may end its answer before it meets the wall, so draw until one does.
    assert any(
        [piece for step in generate(small, fill, Sampling(2, seed=seed)) for piece in step][-1]
        == Ending("length", 3)
        for seed in range(20)
    )


def test_a_stop_string_inside_one_token_cuts_it(large: LanguageModel) -> None:
    tokens, finish = answer(large, Sampling(temperature=0, stop=("rack",)))
    assert finish.reason == "stop"
    assert text(tokens) == text(answer(large, GREEDY)[0]).split("rack")[0]


def test_a_stop_string_across_tokens_is_found_and_nothing_of_it_is_shown(
    large: LanguageModel,
) -> None:
    whole = text(answer(large, GREEDY)[0])
    middle = whole[len(whole) // 2 - 6 : len(whole) // 2 + 6]
    shown, finish = "", None
    for step in generate(large, prompt_of(large), Sampling(temperature=0, stop=(middle,))):
        for piece in step:
            if isinstance(piece, Token):
                shown += piece.text
            else:
                finish = piece
    assert shown == whole.split(middle)[0]
    assert finish is not None
    assert finish.reason == "stop"


def test_text_held_back_for_a_stop_string_that_never_comes_is_shown(large: LanguageModel) -> None:
    whole, _ = answer(large, GREEDY)
    never = text(whole)[-4:] + "!!"
    assert answer(large, Sampling(temperature=0, stop=(never, "[]")))[0] == whole
