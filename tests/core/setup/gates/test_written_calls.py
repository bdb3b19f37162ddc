"""Calls that are written out in an answer's text; and above all texts that are none."""

import pytest

from cascade_core.draft import Draft
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.setup.gates import tool_calls_fit
from cascade_core.setup.gates.written_calls import is_written_call
from tests.core.signals.growth import in_proportion

NAMES = ("weather", "now")
CALL = '{"name": "weather", "arguments": {"city": "Rome"}}'
BAR, LOW = "\uff5c", "\u2581"  # of which DeepSeek's marks are made

WRITTEN = {
    "bare": CALL,
    "parameters": '{"name": "weather", "parameters": {"city": "Rome"}}',
    "in two lines": '{\n  "name": "weather",\n  "arguments": {"city": "Rome"}\n}\n',
    "OpenAI's": '{"type": "function", "function": {"name": "weather", "arguments": "{}"}}',
    "under a key": f'{{"tool_calls": [{CALL}]}}',
    "tool": '{"tool": "weather", "tool_input": {"city": "Rome"}}',
    "action": '{"action": "weather", "action_input": "Rome"}',
    "without arguments": '{"name": "now"}',
    "by its name alone": '{"weather": {"city": "Rome"}}',
    "list": f"[{CALL}, {CALL}]",
    "one after the other": f"{CALL}; {CALL}",
    "with an end mark": f"{CALL}<|eom_id|>",
    "cut off": '{"name": "weather", "arguments": {"city": "Ro',
    "single quotes": "{'name': 'weather', 'arguments': {'city': 'Rome'}}",
    "fenced": f"```json\n{CALL}\n```",
    "fenced without a language": f"```\n{CALL}\n```\n",
    "Hermes, Qwen": f"<tool_call>\n{CALL}\n</tool_call>",
    "never closed": f"<tool_call>\n{CALL}",
    "behind words": f"Let me look that up.\n\n<tool_call>\n{CALL}\n</tool_call>",
    "of a tool nobody offered": '<tool_call>{"name": "search", "arguments": {}}</tool_call>',
    "two": f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>",
    "fenced tags": f"```xml\n<tool_call>{CALL}</tool_call>\n```",
    "tool_calls": f"<tool_calls>[{CALL}]</tool_calls>",
    "Nemotron": f"<TOOLCALL>[{CALL}]</TOOLCALL>",
    "GLM": "<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>",
    "Llama": '<function=weather>{"city": "Rome"}</function>',
    "Llama 3.1": f"<|python_tag|>{CALL}",
    "Llama 3.1, as code": '<|python_tag|>weather.call(city="Rome")',
    "Llama 4": '[weather(city="Rome"), now()]',
    "Qwen coder": "<tool_call>\n<function=weather>\n<parameter=city>\nRome\n</parameter>\n</function>",
    "Claude": '<function_calls>\n<invoke name="weather">\n<parameter name="city">Rome</parameter>',
    "MiniMax": '<minimax:tool_call>\n<invoke name="weather">\n<parameter name="city">Rome',
    "Mistral": f"[TOOL_CALLS] [{CALL}]",
    "Mistral's later": '[TOOL_CALLS]weather[ARGS]{"city": "Rome"}',
    "Granite": f"<|tool_call|>[{CALL}]",
    "Gemma": '<|tool_call>call:weather{city: "Rome"}<tool_call|>',
    "FunctionGemma": "<start_function_call>call:weather{city:<escape>Rome<escape>}",
    "Gemma as code": '```tool_code\nprint(weather(city="Rome"))\n```',
    "Command": f"<|START_ACTION|>\n[{CALL}]\n<|END_ACTION|>",
    "Phi": f"functools[{CALL}]",
    "InternLM": f"<|action_start|><|plugin|>\n{CALL}<|action_end|>",
    "DeepSeek": f"<{BAR}tool{LOW}calls{LOW}begin{BAR}><{BAR}tool{LOW}call{LOW}begin{BAR}>function"
    f'<{BAR}tool{LOW}sep{BAR}>weather\n```json\n{{"city": "Rome"}}\n```',
    "Kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0"
    '<|tool_call_argument_begin|>{"city": "Rome"}<|tool_call_end|>',
    "gpt-oss": "<|channel|>commentary to=functions.weather <|constrain|>json<|message|>"
    '{"city": "Rome"}<|call|>',
    "gpt-oss without marks": 'commentary to=functions.weather json{"city": "Rome"}',
    "as code": 'weather(city="Rome")',
    "as code, of a namespace": "functions.weather({'city': 'Rome'})",
    "as code without arguments": "now()",
    "of a namespace": '{"recipient_name": "functions.weather", "parameters": {"city": "Rome"}}',
    "in the marks of code": '`weather(city="Rome")`',
    "GLM's earlier": 'weather\n{"city": "Rome"}',
    "a name and an object": 'weather: {"city": "Rome"}',
    "in a tag of its name": '<weather>{"city": "Rome"}</weather>',
    "JSON behind words": f"One moment.\n\n{CALL}",
    "fenced, behind who calls": f"I'll look that up:\n```json\n{CALL}\n```",
    "an agent's step": 'Thought: I need it.\nAction: weather\nAction Input: {"city": "Rome"}',
}

TOLD = {
    "nothing": "",
    "plain": "It is sunny in Rome.",
    "in a sentence": f"I could call {CALL}, but it is sunny.",
    "in tags, in a sentence": f"You may write <tool_call>{CALL}</tool_call> to call it.",
    "as an example": f"Write it like this:\n```\n<tool_call>{CALL}</tool_call>\n```",
    "as an example, and on": f"Write:\n<tool_call>{CALL}</tool_call>\nand wait for the answer.",
    "as an example of JSON": f"Write it like this:\n```json\n{CALL}\n```",
    "as an example of mine": f"I'll show you:\n```json\n{CALL}\n```\nThat is all.",
    "JSON of data behind words": 'I will say it as JSON:\n{"weather": {"city": "Rome"}}',
    "code behind words": "I'll write it:\n```python\ndef f():\n    return {}\n```",
    "a tag of its name in HTML": "<weather>sunny</weather>",
    "the name and a list": "now [1] and then {2}",
    "a mark of code": "`weather` tells of rain.",
    "about the mark": "<tool_call> is the mark that Hermes puts around a call of weather.",
    "about the tool": "weather (the tool) tells of rain (mostly).",
    "about a function": "weather(city) is a function.",
    "begins with its name": "now is the time to go (by train).",
    "other JSON": '{"city": "Rome", "weather": "sunny"}',
    "JSON with a name": '{"name": "weather", "city": "Rome"}',
    "a list": '["weather", "now"]',
    "of another name": '{"name": "Ada", "arguments": ["for", "against"]}',
    "code": "```python\nprint(1)\n```",
    "HTML": "<b>weather</b>: sunny",
    "citation": "[1] weather reports",
    "JSON, then words": f"{CALL} is what I would call.",
    "a name within a name": "[TOOL_CALLS] are not for weathermen",
    "thoughts": "Thought: sunny.\nAnswer: It is sunny.",
}  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_text_that_is_a_call_is_no_answer(text):
    assert is_written_call(text, NAMES)
    tools = [ToolSpec(name) for name in NAMES]
    assert not tool_calls_fit(Request(tools=tools), Draft(text))
    if "<|channel|>" not in text:
        assert not tool_calls_fit(Request(tools=tools), Draft(f"<think>Hm.</think>\n{text}"))


@pytest.mark.parametrize("text", TOLD.values(), ids=TOLD)
def test_a_text_that_tells_of_one_is(text):
    assert not is_written_call(text, NAMES)
    assert tool_calls_fit(Request(tools=[ToolSpec(name) for name in NAMES]), Draft(text))


def test_without_tools_and_beside_a_call_the_text_does_not_matter():
    assert tool_calls_fit(Request(), Draft(CALL))
    beside = Draft(CALL, tool_calls=(ToolCall("now", {}),))
    assert tool_calls_fit(Request(tools=[ToolSpec("now")]), beside)


def test_where_json_was_asked_for_json_is_measured_by_its_schema():
    asked = Request(tools=[ToolSpec("weather")], output_schema={"type": "object"})
    assert tool_calls_fit(asked, Draft(CALL))
    assert not tool_calls_fit(asked, Draft(f"<tool_call>{CALL}</tool_call>"))


@pytest.mark.parametrize(
    "piece",
    [
        "<tool_call>",
        CALL,
        f"{CALL}\n",
        "\n{",
        "weather:",
        "`",
        "<weather>",
        "\n[[",
        "[",
        "{",
        "\n<tool_call",
        "```\n",
        "weather(",
        " ",
        "[TOOL_CALLS]",
    ],
)
def test_reading_is_in_proportion_to_the_length(piece):
    def read(text):
        return is_written_call(text, NAMES)

    assert in_proportion(read, "", piece, "")
    assert in_proportion(read, "Well,\n", piece, "end")
