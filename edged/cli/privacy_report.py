"""`edged privacy report`: what is kept about whom, for how long, and where it goes."""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

DESCRIPTION = """\
Says what is kept, namespace by namespace: enrolled people with their faces, crops and embeddings; unknown
people; jobs, the faces seen in them, and pictures; each with its bytes, its oldest, its limits and when the
oldest goes. Then what waits to be sent, copies, who is told, and who may ask.
With --person it says what is kept of one person, in a form that can be handed to them.
"""

_KINDS: Final = {
    "people": "people enrolled",
    "faces": "enrolled faces",
    "crops": "aligned crops of enrolled faces",
    "embeddings": "embeddings of enrolled faces",
    "unknownPeople": "unknown people (groups)",
    "unknownTracks": "tracks of unknown people",
    "unknownFaces": "faces of unknown people",
    "jobs": "jobs",
    "seenFaces": "faces seen in jobs",
    "pictures": "whole pictures",
    "tombstones": "bare ids of people who were erased",
}

_CARRIED: Final = {
    "names": "names",
    "customIds": "customIds",
    "embeddings": "embeddings of enrolled faces",
    "crops": "their aligned crops",
    "unknownPeople": "groups of unknown people",
}

_UNITS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"))


def add_report(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    from edged.cli.config_option import add_config_option, add_data_dir_option

    parser = actions.add_parser(
        "report",
        help="what is kept about whom, for how long, and where it goes",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--person", metavar="PERSON", help="only of this person: name, customId or id")
    parser.add_argument("--namespace", metavar="NS", help="with --person: where (default: wherever they are)")
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    add_config_option(parser)
    add_data_dir_option(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from edged.app.privacy_report import report, report_of_person
    from edged.cli.identities_place import Place

    named = arguments.namespace
    arguments.namespace = named or "home"
    place = Place(arguments)
    now = place.clock.moment()
    if arguments.person is None:
        told = report(place.data_dir, place.settings, now)
        words = told_whole(told)
    else:
        told = report_of_person(place.data_dir, place.settings, now, arguments.person, named)
        words = told_person(told)
    print(json.dumps(told, ensure_ascii=False, indent=2) if arguments.json else "\n".join(words))
    return 0


def told_whole(told: Mapping[str, Any]) -> Iterator[str]:
    """The report on everything, a line at a time."""
    yield f"What edged keeps in {told['dataDir']}, {_minute(told['at'])}"
    for namespace in told["namespaces"]:
        yield ""
        yield from _told_namespace(namespace)
    yield ""
    yield from _told_outbox(told["outbox"])
    for client, number in told["tokens"].items():
        yield f"  access tokens of the API client {client}: {number}"
    yield from _told_copies(told["damagedCopies"])
    yield from _told_outward(told)


def told_person(told: Mapping[str, Any]) -> Iterator[str]:
    """What is kept of one person, a line at a time."""
    yield f"What is kept about {told['name'] or told['id']}, {_minute(told['at'])}"
    yield f"  known as: {told['name'] or '-'}; id {told['id']}; customId {told.get('customId', '-')}"
    yield f"  in namespace {told['namespace']}, since {_minute(told['enrolledAt'])},"
    yield f"  last changed {_minute(told['changedAt'])}"
    yield from map(_told_line, told["kept"])
    yield f"  seen at: {', '.join(told['seenAt']) or 'nowhere that is still kept'}"
    yield f"  messages not sent yet that mention them: {told['unsentMessages']}"
    yield f"  copies of the enrolled people (snapshots): {told['snapshots']}"
    yield f"  pictures and embeddings on the disk are {_encrypted(told['encrypted'])}"
    yield from _told_copies(told["damagedCopies"])
    if "sync" in told:
        yield from _told_sync(told["sync"])
    if "toldTo" in told:
        yield "Who is told when they are recognised:"
        yield from map(_told_sink, told["toldTo"])
    yield "Not known to edged: what receivers of messages keep, exports, and backups."
    yield f"All of it is erased by: edged erase {told['id']} --namespace {told['namespace']}"


def _told_namespace(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"namespace {told['namespace']} ({_bytes(told['sizeBytes'])})"
    if "trouble" in told:
        yield f"  cannot be read: {told['trouble']}"
        return
    yield f"  pictures and embeddings are {_encrypted(told['encrypted'])}"
    yield from map(_told_line, told["kept"])
    for person in told["people"]:
        yield (
            f"    {person['name'] or person['id']}: {person['faces']} faces, {person['crops']} crops,"
            f" {person['embeddings']} embeddings, {person['seenFaces']} seen faces, in {person['jobs']} jobs;"
            f" since {_day(person['enrolledAt'])}, changed {_day(person['changedAt'])}"
        )
    if "sync" in told:
        yield from _told_sync(told["sync"])
    if told["snapshots"]:
        newest = told["snapshots"][0]
        yield f"  {len(told['snapshots'])} snapshots of the people, the newest of {_minute(newest['madeAt'])}"


def _told_sync(told: Mapping[str, Any]) -> Iterator[str]:
    """What of the namespace is on other nodes."""
    where = f", over the broker {told['broker']}" if "broker" in told else ""
    where += "".join(f", {name} {told[name]}" for name in ("mirror", "export") if name in told)
    yield f"  kept the same on other nodes, as {told['role']} {told['node']}{where}:"
    carried = ", ".join(_CARRIED[one] for one in told["carried"])
    yield f"    {carried}; sealed, so that the broker cannot read it"
    if "members" in told:
        yield f"    members: {', '.join(told['members']) or 'none yet'}"
    if told.get("erasureNotConfirmedBy"):
        yield f"    have not confirmed the last erasure: {', '.join(told['erasureNotConfirmedBy'])}"


def _told_line(kept: Mapping[str, Any]) -> str:
    line = f"  {kept['number']} {_KINDS[kept['what']]}"
    details = [_bytes(kept["sizeBytes"])] if kept.get("sizeBytes") else []
    if "oldestAt" in kept:
        details.append(f"the oldest of {_minute(kept['oldestAt'])}")
    if "oldestGoesAt" in kept:
        details.append(f"which goes {_minute(kept['oldestGoesAt'])}")
    details += _told_limits(kept)
    return line + (f": {', '.join(details)}" if details else "")


def _told_limits(kept: Mapping[str, Any]) -> list[str]:
    if "kept" in kept:
        return [f"kept {kept['kept']}"]
    most = []
    if "maxAgeMs" in kept:
        most.append(_span(kept["maxAgeMs"]))
    if "most" in kept:
        most.append(str(kept["most"]))
    if "maxBytes" in kept:
        most.append(_bytes(kept["maxBytes"]))
    limits = [f"at most {', '.join(most)}"] if most else []
    if kept.get("keep") is False:
        limits.append("no more are kept")
    elif kept["what"] == "crops" and "keep" in kept and not most:
        limits.append("kept as long as the face")
    return limits


def _told_outbox(told: Mapping[str, Any]) -> Iterator[str]:
    if "trouble" in told:
        yield f"the outbox cannot be read: {told['trouble']}"
    elif not told:
        yield "nothing waits to be sent: there is no outbox"
    else:
        yield (
            f"waiting to be sent: {told['messages']} messages, {_bytes(told['sizeBytes'])};"
            f" {told['openJobs']} open jobs"
        )
        for sink in told["sinks"]:
            age = f", the oldest for {_span(sink['oldestForMs'])}" if "oldestForMs" in sink else ""
            yield f"  {sink['sink']}: {sink['waiting']} waiting{age}; {sink['deadLetters']} dead letters"
        for hook in told["webhooks"]:
            whose = hook.get("clientId", "a request over MQTT")
            yield f"  webhook of {whose} at {hook['where']}: {hook['waiting']} waiting"


def _told_copies(copies: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for copy in copies:
        yield (
            f"damaged copy {copy['file']} ({_bytes(copy['sizeBytes'])}): whoever was in it is in it still;"
            " delete it when nothing is wanted of it"
        )


def _told_outward(told: Mapping[str, Any]) -> Iterator[str]:
    if "feeds" not in told:
        yield "no configuration was found: limits, feeds and receivers are not told"
        return
    yield "feeds:"
    for feed in told["feeds"]:
        masks = ", ".join(feed["masks"]) or "nothing"
        when = "; ".join(feed["schedule"]) or "always"
        state = {True: ", switched on", False: ", switched off"}.get(feed.get("on"), "")
        yield (
            f"  {feed['feedId']} (namespace {feed['namespace']}): blacked out: {masks};"
            f" looked at: {when}{state}"
        )
    yield "told to:"
    yield from map(_told_sink, told["sinks"])
    api = told["api"]
    if not api:
        yield "nobody may ask: there is no API"
        return
    yield f"who may ask over HTTP at {api['listen']}{_transit(api)}:"
    for client in api["clients"]:
        where = ", ".join(client["namespaces"]) or "the feeds' namespaces"
        yield f"  {client['clientId']}: {', '.join(client['scopes'])} in {where}"


def _told_sink(sink: Mapping[str, Any]) -> str:
    namespaces = ", ".join(sink["namespaces"]) or "all namespaces"
    more = ""
    if sink.get("image", "none") != "none":
        more += f"; pictures of faces, {sink['image']}"
    if sink.get("homeAssistant"):
        more += "; announced to Home Assistant"
    what = f"{', '.join(sink['sent'])} of {namespaces}{more}"
    return f"  {sink['type']} at {sink['where']}{_transit(sink)}: {what}"


def _transit(told: Mapping[str, Any]) -> str:
    if "encryptedInTransit" not in told:
        return ""
    return " (encrypted)" if told["encryptedInTransit"] else " (NOT encrypted: others may read along)"


def _encrypted(is_sealed: bool) -> str:  # noqa: FBT001 - of a word
    return "encrypted" if is_sealed else "not encrypted"


def _bytes(number: int) -> str:
    for size, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} bytes"


def _span(ms: int) -> str:
    for size, unit in _UNITS:
        if ms >= size:
            return f"{ms / size:.3g} {unit}"
    return f"{ms / 1000:.3g} s"


def _day(utc_ms: int) -> str:
    return _minute(utc_ms)[:10]


def _minute(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
