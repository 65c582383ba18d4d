"""`edged outbox`: what waits for the sinks, and what they would not take."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edged.cli.config_option import DEFAULT_PATH, add_config_option, add_data_dir_option
from edged.domain.errors import EdgedError

if TYPE_CHECKING:
    from edged.store.outbox import Outbox
    from edged.store.outbox_letters import DeadLetter, HookDepth, OutboxStatus, SinkDepth

DESCRIPTION = """\
Everything that is told goes through the outbox: a database in the data folder, in which it waits until its
sink has it. What a sink refuses for good becomes a dead letter, which is kept until it is sent again,
dropped, or older than `outbox.max_age`. A running daemon need not be stopped for any of this.

actions:
  status       how much waits for each sink, and for the webhooks of API clients, since when, and why
               (without an action: this)
  dead         list the dead letters
  resend ID    send one dead letter again; `--all`: all of them
  drop ID      forget one dead letter
"""

EPILOG = """\
examples:
  edged outbox
  edged outbox dead --json
  edged outbox resend --all
"""

_MOST_NAMED = 20


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "outbox",
        help="show what waits for the sinks; list, resend and drop dead letters",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=("status", "dead", "resend", "drop"),
        default="status",
        metavar="ACTION",
        help="what to do (see above)",
    )
    parser.add_argument("id", nargs="?", type=int, metavar="ID", help="a dead letter, as `dead` lists it")
    parser.add_argument("--all", action="store_true", help="with `resend`: every dead letter")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_config_option(parser)
    add_data_dir_option(parser)
    parser.set_defaults(run=lambda arguments: _run(parser, arguments))


def _run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    takes_id = arguments.action == "drop" or (arguments.action == "resend" and not arguments.all)
    if takes_id != (arguments.id is not None):
        parser.error(f"`{arguments.action}` needs an ID" if takes_id else "no ID is needed for that")
    if arguments.all and arguments.action != "resend":
        parser.error("`--all` goes with `resend`")
    outbox = _opened(arguments)
    try:
        return _ACTIONS[arguments.action](outbox, arguments)
    finally:
        outbox.close()


def _opened(arguments: argparse.Namespace) -> "Outbox":
    from edged.app.configuration import load
    from edged.app.data_dir import data_dir_of
    from edged.delivery.route import Route, routes_of
    from edged.store.faults import is_there
    from edged.store.outbox import FILE_NAME, Outbox

    configured, base_dir = arguments.data_dir, Path.cwd()
    routes: tuple[Route, ...] = ()
    # Without a configuration the defaults will do; one that is named, or there, must be right.
    if arguments.config != DEFAULT_PATH or arguments.config.exists():
        loaded = load(arguments.config, with_secrets=False)
        routes = routes_of(loaded.settings.sinks)
        if configured is None:
            configured, base_dir = loaded.settings.data_dir, loaded.base_dir
    data_dir = data_dir_of(configured, base_dir)
    if not is_there(data_dir / FILE_NAME):
        raise EdgedError(
            f"there is no outbox in {data_dir}",
            remedy="The daemon makes it when it starts; `--data-dir` names another folder.",
        )
    # The daemon may have the file open: only it may put a damaged one aside.
    return Outbox(data_dir, routes, may_replace=False)


def _status(outbox: "Outbox", arguments: argparse.Namespace) -> int:
    from edged.system.clock import SystemClock

    status = outbox.status(SystemClock().moment())
    if arguments.json:
        _print_json(asdict(status))
    else:
        print(_told(status))
    return 0


def _dead(outbox: "Outbox", arguments: argparse.Namespace) -> int:
    letters = outbox.dead_letters()
    if arguments.json:
        _print_json([asdict(letter) for letter in letters])
    elif letters:
        print("\n".join(_told_letter(letter) for letter in letters))
    else:
        print("no dead letters")
    return 0


def _resend(outbox: "Outbox", arguments: argparse.Namespace) -> int:
    number = outbox.resend(arguments.id)
    if arguments.id is not None and not number:
        raise _no_such_letter(arguments.id)
    if arguments.json:
        _print_json({"resent": number})
    else:
        print(f"{_counted(number, 'dead letter')} will be sent again" if number else "no dead letters")
    return 0


def _drop(outbox: "Outbox", arguments: argparse.Namespace) -> int:
    if not outbox.drop(arguments.id):
        raise _no_such_letter(arguments.id)
    if arguments.json:
        _print_json({"dropped": 1})
    else:
        print("1 dead letter dropped")
    return 0


_ACTIONS = {"status": _status, "dead": _dead, "resend": _resend, "drop": _drop}


def _no_such_letter(number: int) -> EdgedError:
    return EdgedError(f"there is no dead letter {number}", remedy="`edged outbox dead` lists them.")


def _told(status: "OutboxStatus") -> str:
    kept = f"{_counted(status.messages, 'message')} kept, {status.bytes} bytes"
    lines = [f"{kept}; {_counted(status.open_jobs, 'open job')}"]
    for sink in status.sinks:
        lines += _told_sink(sink)
    return "\n".join(lines + _told_hooks(status))


def _told_hooks(status: "OutboxStatus") -> list[str]:
    """The webhooks of API clients: of those that requests name, which may be many, the first."""
    named = [hook for hook in status.hooks if not hook.is_registered]
    shown = [hook for hook in status.hooks if hook.is_registered] + named[:_MOST_NAMED]
    lines = []
    for hook in shown:
        kind = "webhook" if hook.is_registered else "webhook of requests"
        whose = f" of {hook.client_id}" if hook.client_id else ""
        lines.append(f"{kind}{whose} at {hook.where} ({hook.id}): {_told_waiting(hook)}")
        if hook.last_reason:
            lines.append(f"  last failure: {hook.last_reason}")
    if len(named) > _MOST_NAMED:
        lines.append(f"and {_counted(len(named) - _MOST_NAMED, 'more webhook')} of requests")
    if status.hook_counters:
        lines.append("webhooks of API clients, together: " + _told_counters(status.hook_counters))
    return lines


def _told_sink(sink: "SinkDepth") -> list[str]:
    waits = _told_waiting(sink)
    if sink.retrying:
        waits += f", {sink.retrying} tried before"
    counters = dict(sink.counters)
    lines = [f"{sink.sink}: {waits}; {_counted(sink.dead, 'dead letter')}; {counters.pop('sent', 0)} sent"]
    if sink.last_reason:
        lines.append(f"  last failure: {sink.last_reason}")
    if counters:
        lines.append("  " + _told_counters(counters))
    return lines


def _told_waiting(depth: "SinkDepth | HookDepth") -> str:
    waits = f"{depth.waiting} waiting"
    return waits if depth.oldest_age_ms is None else f"{waits}, the oldest for {_span(depth.oldest_age_ms)}"


def _told_counters(counters: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {counters[name]}" for name in sorted(counters))


def _told_letter(letter: "DeadLetter") -> str:
    since = datetime.fromtimestamp(letter.dead_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return (
        f"{letter.id}  {since}  {letter.sink}  {letter.kind} {letter.subject_id}-{letter.sequence} of "
        f"{letter.namespace}/{letter.feed_id}, {letter.size_bytes} bytes\n  {letter.reason}"
    )


def _span(ms: int) -> str:
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if ms >= 2 * length:
            return f"{ms // length} {unit}"
    return f"{ms // 1000} s"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _print_json(value: Any) -> None:
    print(json.dumps(_camel(value), ensure_ascii=False, indent=2))


def _camel(value: Any) -> Any:
    """Field names as all our JSON spells them; names of sinks and counters stay as they are."""
    if isinstance(value, (list, tuple)):
        return [_camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        _camel_name(name): inner if name in {"counters", "hook_counters"} else _camel(inner)
        for name, inner in value.items()
        if inner is not None
    }


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
